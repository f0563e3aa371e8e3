"""Time the performance-fairness front: labels beside the mixed-integer programme, one budget and the whole front."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from asymptopia.theory.scorecard.fairness import fairness_front

Tables = list[np.ndarray[Any, Any]]


def synthetic(features: int, prebins: int, rows: int = 20_000, seed: int = 0) -> tuple[Tables, Tables]:
    """Correlated scores that tell about a default and, each to another degree, about a group."""
    rng = np.random.default_rng(seed)
    group = rng.random(rows) < 0.35
    common = rng.standard_normal(rows)
    scores = []
    for f in range(features):
        lean = (0.1 + 0.08 * f) * (1 if f % 2 else -1)
        scores.append(0.5 * common + rng.standard_normal(rows) + lean * group)
    default = rng.random(rows) < 1 / (1 + np.exp(2.2 + sum(0.35 * score for score in scores) / 1.5))
    sides: tuple[Tables, Tables] = ([], [])
    for score in scores:
        codes = np.searchsorted(np.quantile(score, np.arange(1, prebins) / prebins), score)
        for tables, split in zip(sides, (default, group), strict=True):
            counts = [np.bincount(codes[split == side], minlength=prebins) for side in (False, True)]
            tables.append(np.stack(counts, axis=1))
    return sides


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--milp-points", type=int, default=6)
    parser.add_argument("--time-limit", type=float, default=60.0)
    options = parser.parse_args()
    sizes = ((8, 15, 5, 0.05), (8, 30, 8, 0.03), (20, 15, 5, 0.05), (8, 60, 10, 0.02))
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"trend": "auto"},
        {"z": 1.645},
        {"max_features": 3},
        {"method": "milp"},
        {"method": "milp", "z": 1.645},
    )
    print("front with intervals; search: one budget at 40 % of the unconstrained optimum's protected information")
    print(
        f"{'features':>8}{'prebins':>8}{'bins':>5}  {'variant':<34}{'points':>7}{'total s':>9}{'search s':>9}  proven"
    )
    for features, prebins, bins, share in sizes:
        target, protected = synthetic(features, prebins)
        for variant in variants:
            if "method" in variant and (prebins > 15 or features > 8):
                continue
            points = options.milp_points if "method" in variant else options.points
            common: dict[str, Any] = {"max_bins": bins, "min_share": share, "time_limit": options.time_limit, **variant}
            start = time.perf_counter()
            front = fairness_front(target, protected, n_points=points, **common)
            total = time.perf_counter() - start
            start = time.perf_counter()
            fairness_front(target, protected, eps=0.4 * front.eps[-1], **common)
            single = time.perf_counter() - start
            name = ", ".join(f"{key}={value}" for key, value in variant.items()) or "no trend"
            proven = f"{sum(point.optimal for point in front.points)}/{len(front.points)}"
            size = f"{features:>8}{prebins:>8}{bins:>5}  {name:<34}{len(front.points):>7}"
            print(f"{size}{total:>9.3f}{single:>9.3f}  {proven}", flush=True)


if __name__ == "__main__":
    main()
