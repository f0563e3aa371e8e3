"""The fields that all results on the divergence share, from a sampling model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import jeffreys_terms, log_ratio
from asymptopia.theory.scorecard import intervals
from asymptopia.theory.scorecard.hypotheses import null_tails
from asymptopia.theory.scorecard.intervals import ConfidenceInterval
from asymptopia.theory.scorecard.sampling import Array, Sampling, total
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.theory.scorecard.status import ScorecardStatus

_FEW = 5


def describe(sampling: Sampling, used: NDArray[np.bool_], smoothing: float) -> dict[str, Any]:
    """Return the fields that all results share, from the sampling model over the `used` bins."""
    zero_cell = sampling.zero_cell
    smoothed_count = smoothing or HALF
    smoothed = sampling.moments(smoothed_count)
    plug_in = math.inf if zero_cell else float(total(sampling.shares(0.0)))
    tested = smoothed_count if zero_cell else smoothing
    weights = sampling.null_weights(tested)
    testable = weights.size > 0
    statistic = sampling.n_eff * (float(smoothed.divergence) if tested else plug_in)
    log_pvalue = float(null_tails(statistic, weights).sf) if testable else math.nan
    variance = bias = math.nan
    if testable and not (zero_cell and smoothing == 0):
        _, variance, bias = sampling.moments(smoothing) if smoothing == 0 else smoothed
    raw = float(smoothed.divergence - smoothed.bias) if testable else math.nan
    found = limits(sampling, testable=testable)
    p, q, d = sampling.shares(smoothing)
    woe_variance = sampling.woe_variance(smoothing)
    return {
        "status": ScorecardStatus.worst(found),
        "estimate": plug_in,
        "estimate_smoothed": float(smoothed.divergence),
        "estimate_bias_corrected_raw": raw,
        "smoothing": smoothing,
        "bias": float(bias),
        "se": math.sqrt(variance),
        "statistic": statistic,
        "dof": int(weights.size),
        "pvalue": math.exp(log_pvalue),
        "log_pvalue": log_pvalue,
        "n": int(sampling.n),
        "m": sampling.m if math.isinf(sampling.m) else int(sampling.m),
        "n_eff": sampling.n_eff,
        "bins": sampling.bins,
        "contributions": _spread(jeffreys_terms(p, q, d), used, 0.0),
        "woe": _spread(log_ratio(p, q, d), used, math.nan),
        "woe_se": _spread(np.sqrt(np.where(np.isfinite(woe_variance), woe_variance, math.nan)), used, math.nan),
        "ci": intervals.snc(sampling, smoothed_count).interval(0.95)
        if testable
        else ConfidenceInterval(math.nan, math.nan),
        "notes": tuple(item.message for item in sorted(found, key=[*ScorecardStatus].index, reverse=True)),
    }


def limits(sampling: Sampling, *, testable: bool, infinite: bool = True) -> list[ScorecardStatus]:
    """Return what limits a result; `infinite` is whether a bin that is empty in one sample makes the estimate so."""
    found = []
    if float(sampling.expected_counts.min()) < 1 or sampling.smaller / sampling.bins < _FEW:
        found.append(ScorecardStatus.SPARSE)
    if sampling.few_clusters:
        found.append(ScorecardStatus.FEW_CLUSTERS)
    if sampling.zero_cell:
        found.append(ScorecardStatus.ZERO_CELL if infinite else ScorecardStatus.ZERO_CELL_FINITE)
    if not testable:
        found.append(ScorecardStatus.ONE_BIN if sampling.bins == 1 else ScorecardStatus.NO_MOVES)
    return found


def _spread(values: Array, used: NDArray[np.bool_], elsewhere: float) -> Array:
    result = np.full(used.size, elsewhere)
    result[used] = values
    return result
