"""Terms of every segment of prebins: target information, protected information and the variance of the latter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import jeffreys_terms, log_ratio
from asymptopia.theory.scorecard.shares import Array, Shares, two_samples

Mask = NDArray[np.bool_]
_ROUNDING = 1e-12
_INT64 = 2**63


@dataclass(frozen=True)
class Graph:
    """The segments (i, j) of one feature with nodes 0 to K and their terms, arrays of shape ``(K + 1, K + 1)``.

    Attributes
    ----------
    feature : int
        Position of the feature; both directions of an "auto" trend are graphs of one feature.
    gain, cost, variance : ndarray
        Target term, protected term and the addend of the protected variance; 0 where not allowed.
    allowed : ndarray of bool
        Segments that a partition may use. The whole range is none: it carries no information, as an unused feature.
    trend : int
        1 or -1 for an event rate that may not fall or rise along the segments, 0 for none.
    good, bad : ndarray
        Cumulated target counts at the nodes.
    """

    feature: int
    gain: Array
    cost: Array
    variance: Array
    allowed: Mask
    trend: int
    good: NDArray[np.int64]
    bad: NDArray[np.int64]

    @property
    def last(self) -> int:
        """The node K, where every partition ends."""
        return len(self.allowed) - 1

    def follows(self, middle: int) -> Mask:
        """Return which segments (middle, c) may follow which segments (a, middle), shape ``(K + 1, K + 1)``."""
        if self.trend == 0:
            return np.ones(self.allowed.shape, dtype=bool)
        good, bad = self.good, self.bad
        if int(good[-1]) * int(bad[-1]) >= _INT64:
            good, bad = good.astype(object), bad.astype(object)
        # bad / (good + bad) rises from left to right if and only if this is >= 0: integers, so that ties are exact
        left_good, left_bad = good[middle] - good, bad[middle] - bad
        right_good, right_bad = good - good[middle], bad - bad[middle]
        rise = left_good[:, None] * right_bad[None, :] - left_bad[:, None] * right_good[None, :]
        return np.asarray(self.trend * rise >= 0, dtype=bool)


def build_graphs(
    feature: int,
    target: NDArray[np.int64],
    protected: NDArray[np.int64],
    trends: tuple[int, ...],
    *,
    min_share: float,
    smoothing: float,
    protected_smoothing: float,
) -> list[Graph]:
    """Return one graph a direction of the feature's trend.

    Notes
    -----
    Smoothing adds to each prebin that is not empty in both samples, so that the terms of a partition still sum to a
    divergence of two probability vectors and the whole range has the term 0.
    """
    good, bad = (np.concatenate([[0], np.cumsum(column)]) for column in target.T)
    goods, bads = _between(good.astype(np.float64)), _between(bad.astype(np.float64))
    size = good.size
    allowed = np.triu(np.ones((size, size), dtype=bool), 1)
    allowed[0, -1] = False
    allowed &= goods + bads > 0
    if smoothing == 0:
        allowed &= (goods > 0) & (bads > 0)
    allowed &= goods + bads >= min_share * float(good[-1] + bad[-1]) * (1 - _ROUNDING)
    gain, _ = _terms(target, smoothing)
    cost, variance = _terms(protected, protected_smoothing)
    allowed &= np.isfinite(cost)
    parts = (np.where(allowed, part, 0.0) for part in (gain, cost, variance))
    gain, cost, variance = parts
    return [Graph(feature, gain, cost, variance, allowed, trend, good, bad) for trend in trends]


def _between(cumulated: Array) -> Array:
    """Return the count of each segment (i, j), 0 where ``j <= i``."""
    return np.asarray(np.triu(cumulated[None, :] - cumulated[:, None], 1))


def _terms(table: NDArray[np.int64], smoothing: float) -> tuple[Array, Array]:
    """Return Jeffreys terms and addends of the variance of all segments."""
    sizes = table.sum(axis=0).astype(np.float64)
    smoothed = table + smoothing * (table.sum(axis=1, keepdims=True) > 0)
    cumulated = np.concatenate([np.zeros((1, 2)), np.cumsum(smoothed, axis=0)])
    x, y = _between(cumulated[:, 0]), _between(cumulated[:, 1])
    n, m = cumulated[-1]
    # a segment beside the rest: the difference of shares without cancellation
    pair = two_samples(np.stack([x, n - x], axis=-1), np.stack([y, m - y], axis=-1), 0.0)
    p, q, d = (part[..., 0] for part in pair)
    return jeffreys_terms(p, q, d), _variance_terms(Shares(p, q, d), sizes)


def _variance_terms(shares: Shares, sizes: Array) -> Array:
    r"""Return :math:`p a^2 / n + q c^2 / m`, :math:`a = L + 1 - q/p`, :math:`c = -L + 1 - p/q`; 0 for an empty one.

    Notes
    -----
    Their sum less :math:`\mathrm{KL}(P\|Q)^2/n + \mathrm{KL}(Q\|P)^2/m` is the delta-method variance.
    """
    p, q, d = shares
    inside = (p > 0) & (q > 0)
    safe_p, safe_q, safe_d = np.where(inside, p, 1.0), np.where(inside, q, 1.0), np.where(inside, d, 0.0)
    ratio: Any = log_ratio(safe_p, safe_q, safe_d)
    a, c = ratio + safe_d / safe_p, -ratio - safe_d / safe_q
    terms = safe_p * a**2 / sizes[0] + safe_q * c**2 / sizes[1]
    return np.where(inside, terms, np.where(p == q, 0.0, np.inf))
