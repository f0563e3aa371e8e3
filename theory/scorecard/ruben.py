"""Ruben's series for a weighted sum of chi-squares: central laws with positive weights and a bounded remainder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import log1mexp
from asymptopia.theory.scorecard.laws import LogTails, chi2_tails

Array = NDArray[np.float64]
LIMIT = 20_000
_PRECISION = 1e-14


def ruben_tails(x: Array, weights: Array) -> LogTails:
    r"""Return the log tails of :math:`\sum_i w_i \chi^2_1` at the points `x` > 0, for weights > 0.

    Raises
    ------
    ValueError
        If more than 20000 terms would be needed.

    Notes
    -----
    With :math:`\beta = \min w`, :math:`P(X > x) = \sum_j c_j P(\chi^2_{k+2j} > x/\beta)` with the generating function
    :math:`\sum_j c_j z^j = \prod_i (\beta/w_i)^{1/2} (1 - (1 - \beta/w_i) z)^{-1/2}`. Coefficient by coefficient it
    is at most :math:`\prod_i (\beta/w_i)^{1/2} (1 - r z)^{-k/2}` with the largest of the ratios r, so that the
    remainder after N terms is below :math:`\prod_i (w_{\max}/w_i)^{1/2} I_r(N, k/2)`.
    """
    low = float(weights.min())
    scaled = x / low
    # the first term bounds the upper tail from below: what the remainder is compared with
    log_first = np.log(low / weights).sum() / 2
    least = float((log_first + chi2_tails(scaled, weights.size).sf).min())
    log_c = _coefficients(1 - low / weights, log_first, _terms(weights, least))
    cdf, sf = np.empty_like(x), np.empty_like(x)
    dof = weights.size + 2 * np.arange(log_c.size)
    for i, point in enumerate(scaled):
        tails = chi2_tails(point, dof)
        lower, upper = _log_sum(log_c + tails.cdf), _log_sum(log_c + tails.sf)
        # the smaller tail is a sum of small terms; the larger is its complement
        if lower < upper:
            cdf[i], sf[i] = lower, log1mexp(min(lower, 0.0))
        else:
            cdf[i], sf[i] = log1mexp(min(upper, 0.0)), upper
    return LogTails(cdf, sf)


def _terms(weights: Array, log_tail: float) -> int:
    """Return a number of terms whose remainder is below `_PRECISION` of the tail."""
    from scipy.special import betainc

    top = float(weights.max())
    ratio, factor = 1 - float(weights.min()) / top, float(np.log(top / weights).sum()) / 2
    if ratio == 0:
        return 1
    goal = np.log(_PRECISION) + log_tail - factor
    terms = 16
    while terms <= LIMIT:
        with np.errstate(divide="ignore"):
            found = float(np.log(betainc(terms, weights.size / 2, ratio)))
        # where the bound underflows its leading power stands in
        bound = found if found > -np.inf else terms * np.log(ratio) + weights.size / 2 * np.log(terms)
        if bound <= goal:
            return terms
        terms *= 2
    spread = top / float(weights.min())
    message = (
        f"method='ruben' needs more than {LIMIT} terms here: the largest weight is {spread:.4g} times the smallest, or "
        "x lies far out; take method='exact'"
    )
    raise ValueError(message)


def _coefficients(ratios: Array, log_first: float, terms: int) -> Array:
    """Return the logarithms of the coefficients; they are rescaled on the way, since the first can underflow."""
    c = np.zeros(terms)
    log_scale = np.full(terms, log_first)
    c[0], shift = 1.0, log_first
    partial = np.zeros_like(ratios)
    for j in range(1, terms):
        partial = ratios * (c[j - 1] + partial)
        c[j] = partial.sum() / (2 * j)
        log_scale[j] = shift
        if c[j] > 1e200:
            partial, shift = partial * 1e-200, shift + np.log(1e200)
            c[j], log_scale[j] = c[j] * 1e-200, shift
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(c) + log_scale)


def _log_sum(terms: Array) -> float:
    top = float(terms.max())
    return top if np.isneginf(top) else top + float(np.log(np.exp(terms - top).sum()))
