"""Time `count_table` beside `numpy.bincount`: 20 features of 10 bins, one thread."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asymptopia.theory.scorecard import count_table

BINS = 10
FEATURES = 20


def bincount(codes: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    columns = [np.bincount(2 * codes[:, f].astype(np.intp) + y, minlength=2 * BINS) for f in range(codes.shape[1])]
    return np.stack(columns).reshape(-1, BINS, 2)


def best(task: Callable[[], object], repeats: int) -> float:
    task()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, options.rows, dtype=np.uint8)
    print(f"{options.rows} rows x {FEATURES} features x {BINS} bins, best of {options.repeats}")
    print(f"{'codes':<8}{'order':<7}{'count_table s':>14}{'bincount s':>12}{'ratio':>8}")
    for kind in (np.uint8, np.int8, np.uint16, np.int64):
        for order in ("C", "F"):
            codes = np.asarray(rng.integers(0, BINS, (options.rows, FEATURES)), dtype=kind, order=order)
            assert (count_table(codes, y, BINS) == bincount(codes, y)).all()
            ours = best(lambda codes=codes: count_table(codes, y, BINS), options.repeats)
            theirs = best(lambda codes=codes: bincount(codes, y), max(1, options.repeats // 3))
            print(f"{np.dtype(kind).name:<8}{order:<7}{ours:>14.4f}{theirs:>12.4f}{theirs / ours:>8.1f}")


if __name__ == "__main__":
    main()
