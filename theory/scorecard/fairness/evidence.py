"""Intervals and p-values of one choice of bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asymptopia.theory.scorecard.fairness.labels import Nodes
from asymptopia.theory.scorecard.fairness.tables import Table
from asymptopia.theory.scorecard.inference import information_value
from asymptopia.theory.scorecard.intervals import ConfidenceInterval
from asymptopia.theory.scorecard.results import IVResult
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.theory.scorecard.status import ScorecardStatus


class Evidence(NamedTuple):
    """What one set of tables says about the sum over the features used."""

    estimate: float
    ci: ConfidenceInterval
    pvalue: float
    pvalues: tuple[float, ...]
    sparse: bool


def evidence(tables: Sequence[Table], nodes: Sequence[Nodes], level: float) -> Evidence:
    """Return estimate, interval and tests for the features with nodes.

    Notes
    -----
    The interval of the sum adds the ends of SNC intervals, each at the level ``1 - (1 - level) / k`` for k features.
    By Bonferroni's inequality it covers at `level` however the features depend; for one feature it is the SNC
    interval itself. The p-values use the statistic smoothed by 1/2.
    """
    found = [_merged(table, path) for table, path in zip(tables, nodes, strict=True) if path]
    if not found:
        return Evidence(0.0, ConfidenceInterval(0.0, 0.0), 1.0, (), False)
    within = 1 - (1 - level) / len(found) if len(found) > 1 else level
    ends = [_interval(result, within) for result in found]
    low, high = (math.fsum(end[side] for end in ends) for side in (0, 1))
    # one bin in use: nothing can be tested
    pvalues = tuple(1.0 if result.dof == 0 else float(result.pvalue) for result in found)
    return Evidence(
        math.fsum(result.estimate_smoothed for result in found),
        ConfidenceInterval(low, high),
        min(1.0, len(found) * min(pvalues)),
        pvalues,
        any(result.status is ScorecardStatus.SPARSE for result in found) or any(_few(result) for result in found),
    )


def _merged(table: Table, nodes: Nodes) -> IVResult:
    counts = np.add.reduceat(table, list(nodes[:-1]), axis=0)
    return information_value(counts[:, 0], counts[:, 1], smoothing=HALF)


def _interval(result: IVResult, level: float) -> ConfidenceInterval:
    """Return the SNC interval; all values where one bin holds all observations, which says nothing."""
    return ConfidenceInterval(0.0, math.inf) if result.dof == 0 else result.confidence_interval(level)


def _few(result: IVResult) -> bool:
    """Return True for few observations a bin where an empty cell hides that status."""
    used = result.good + result.bad > 0
    expected = (result.good + result.bad)[used] / (result.n + result.m) * min(result.n, result.m)
    return bool(expected.min() < 1)
