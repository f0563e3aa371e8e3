"""Checks of optimal binning: the hull's theorem, and the permutation test of optimised bins."""

from __future__ import annotations

import math

from scipy.special import chdtri

from asymptopia.verify.checks.scorecard_binning_kernels import PREBINS, hull_mismatch, permutation_statistics
from asymptopia.verify.checks.scorecard_cases import FINENESS
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Mutant, Target

MISS = {"quick": 0.002, "standard": 0.0005, "exhaustive": 0.0001}
"""Share of instances with a mismatch that would be seen."""


def hull_case(goods: int, bads: int, trend: float, miss: float) -> Case:
    """Return the case of the mismatch between the hull's and the exhaustive optimum on random instances."""
    target = Target(
        name="mismatch",
        statistic="hull",
        theory=0.0,
        delta=miss,
        delta_reason=f"the theorem is exact: no mismatch, up to {miss:g} of the instances, by the Monte Carlo",
        sd=math.sqrt(miss),
        kind="proportion",
        mutants=(
            Mutant(name="one pool a prebin", statistic="single"),
            Mutant(name="greedy merging of the hull's bins", statistic="greedy"),
        ),
    )
    params = (float(goods), float(bads), trend)
    return Case(name=f"goods={goods},bads={bads},trend={trend:g}", params=params, targets=(target,), budget=1 << 20)


def permutation_case(bads: int, size: int, fine: float) -> Case:
    """Return the case of the size of the permutation test of optimised bins, and of the chi-square law's."""
    goods = PREBINS * size - bads
    scale = goods * bads / (goods + bads)
    critical = [float(chdtri(dof, level)) for level in (0.05, 0.25) for dof in (1, 2)]
    targets = tuple(
        Target(
            name=name,
            statistic=name,
            theory=level,
            delta=delta * fine,
            delta_reason="the rank of the data among 20 exchangeable tables is uniform but for ties, which are rare"
            " and count against rejection",
            sd=math.sqrt(level * (1 - level)),
            kind="proportion",
            mutants=(Mutant(name="chi-square law of the optimised bins", statistic=naive),),
        )
        for name, naive, level, delta in (("p05", "naive05", 0.05, 0.008), ("p25", "naive25", 0.25, 0.016))
    )
    params = (float(bads), float(size), scale, *critical)
    return Case(name=f"bads={bads},rows={PREBINS * size}", params=params, targets=targets, budget=1 << 20)


CHECKS = (
    Check(
        id="scorecard.optimal_bins",
        statement="The best monotone bins end at vertices of the greatest convex minorant, and any such bins are",
        kernel=Kernel(hull_mismatch, ("hull", "single", "greedy")),
        cases=lambda profile: (hull_case(20, 8, 0.5, MISS[profile]), hull_case(200, 100, 0.4, MISS[profile])),
    ),
    Check(
        id="scorecard.permutation",
        statement="Permutation p-values of optimised bins are uniform where the feature says nothing",
        kernel=Kernel(permutation_statistics, ("p05", "p25", "naive05", "naive25")),
        cases=lambda profile: (permutation_case(40, 60, FINENESS[profile]),),
    ),
)
