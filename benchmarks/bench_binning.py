"""Time `prebin` and `optimal_bins` on one column, beside optbinning on the same prebins if it is installed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asymptopia.theory.scorecard.binning import Prebins, optimal_bins, prebin
from asymptopia.theory.scorecard.binning.kernels import KINDS, unit

BINS = 10
CASES: dict[str, dict[str, Any]] = {
    "ascending": {"trend": "ascending"},
    "auto": {},
    "ascending, 12 % of rows a bin": {"trend": "ascending", "min_share": 0.12},
    "peak": {"trend": "peak"},
    "no trend": {"trend": None},
    "ascending, smoothing 1/2": {"trend": "ascending", "smoothing": 0.5},
}


def best(task: Callable[[], object], repeats: int) -> float:
    """Milliseconds of the fastest call."""
    task()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def kernels(cells: Prebins, repeats: int) -> None:
    good, bad = cells.good.astype(float), cells.bad.astype(float)
    u, search = unit(), unit().search
    over_hull = best(lambda: search(good, bad, 0.0, 0.0, BINS, 1, 0, 0.0, 0.0, 0.0, -np.inf), repeats)
    cums = [np.concatenate([[0], np.cumsum(side)]) for side in (cells.good, cells.bad)]

    def general() -> None:
        u.programme(u.segment_gains(cells.good, cells.bad, KINDS["jeffreys"], 0.0), *cums, BINS, 1)

    print(f"  kernels, ascending: hull {over_hull:.4f} ms, programme over all prebins {best(general, repeats):.4f} ms")


def ours(cells: Prebins, noise: Prebins, repeats: int) -> None:
    print(f"  {'optimal_bins':<32}{'IV':>14}{'bins':>6}{'ms':>10}{'+ 999 permutations':>20}{'on noise':>10}")
    for name, options in CASES.items():
        found = optimal_bins(cells, max_bins=BINS, **options)
        one = best(lambda options=options: optimal_bins(cells, max_bins=BINS, **options), repeats)
        tests = [
            best(
                lambda data=data, options=options: optimal_bins(
                    data, max_bins=BINS, pvalue="permutation", rng=0, **options
                ),
                1,
            )
            for data in (cells, noise)
            if "smoothing" not in options
        ]
        shown = "".join(f"{t:>{w}.1f}" for t, w in zip(tests, (20, 10), strict=False))
        print(f"  {name:<32}{found.value:>14.10f}{found.bins:>6}{one:>10.4f}{shown}")


def theirs(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], cells: Prebins, limit: int) -> None:
    try:
        from optbinning import OptimalBinning
    except ImportError:
        print("  optbinning: not installed")
        return
    for solver in ("cp", "mip"):
        model = OptimalBinning(
            solver=solver,
            # its bins hold their left end, ours the right one
            user_splits=np.nextafter(cells.edges, np.inf),
            max_n_bins=BINS,
            min_prebin_size=1e-6,
            monotonic_trend="ascending",
            time_limit=limit,
        )
        start = time.perf_counter()
        model.fit(x, y)
        seconds = time.perf_counter() - start
        table = model.binning_table
        table.build()
        bins = len(model.splits) + 1
        print(f"  optbinning {solver:<21}{table.iv:>14.10f}{bins:>6}{1e3 * seconds:>10.1f}  {model.status}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--time-limit", type=int, default=20, help="seconds that optbinning may take for each solver")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    y = (rng.random(options.rows) < 0.1).astype(np.uint8)
    x = rng.normal(0.5 * y, 1.0)
    shuffled = rng.permutation(y)
    print(f"{options.rows} rows, 10 % bads, x ~ N(y/2, 1), at most {BINS} bins, best of {options.repeats}")
    for limit in (20, 100):
        cells = prebin(x, y, max_prebins=limit)
        print(f"{limit} prebins: prebin {best(lambda n=limit: prebin(x, y, max_prebins=n), options.repeats):.1f} ms")
        kernels(cells, 20 * options.repeats)
        ours(cells, prebin(x, shuffled, max_prebins=limit), options.repeats)
        theirs(x, y, cells, options.time_limit)


if __name__ == "__main__":
    main()
