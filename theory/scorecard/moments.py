r"""Value, first-order variance and bias of the Jeffreys divergence between two independent samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import jeffreys_terms, kl, log_ratio
from asymptopia.theory.scorecard.shares import Shares

Array = NDArray[np.float64]


class Moments(NamedTuple):
    """Divergence of given shares, and variance and bias of its estimator there."""

    divergence: Any
    variance: Any
    bias: Any


def independent_moments(shares: Shares, n: float, m: float, a: float) -> Moments:
    r"""Return the moments for samples of size `n` and `m` with `a` added to each cell.

    Parameters
    ----------
    shares : Shares
        Cells along the last axis, all shares > 0.
    n, m : float
        Sizes; ``m = inf`` for a known baseline, which is not smoothed.
    a : float
        Pseudo-count that the estimator adds to every cell of a random sample.

    Notes
    -----
    With :math:`L = \log(p/q)` and :math:`\chi(Q, P) = \sum (q-p)^2/p`,

    .. math:: V = V_P/n + V_Q/m, \quad V_P = \mathrm{Var}_P(L) + \chi(Q, P) + 2J, \quad
              V_Q = \mathrm{Var}_Q(L) + \chi(P, Q) + 2J,

    a sum of non-negative terms, equal to :math:`\mathrm{Var}_P(L - q/p)` because
    :math:`\mathrm{Cov}_P(L, q/p) = -J`. The bias is half the trace of Hessian times covariance plus the shift by the
    pseudo-counts; its part from sample 1 is

    .. math:: \frac{1}{n}\Big[\frac{B-2}{2} + aB + \big(\tfrac12 - a\big)\sum q/p
              + a \big(\sum L - B\,\mathrm{KL}(P\|Q)\big)\Big].
    """
    p, q, d = shares
    bins = p.shape[-1]
    ratio = log_ratio(p, q, d)
    total = jeffreys_terms(p, q, d).sum(axis=-1)
    log_sum = ratio.sum(axis=-1)
    variance, bias = np.zeros_like(total), np.zeros_like(total)
    for first, second, sign, size in ((p, q, 1.0, n), (q, p, -1.0, m)):
        spread = _variance(ratio, first) + (d * d / first).sum(axis=-1) + 2 * total
        variance = variance + spread / size
        lean = sign * log_sum - bins * kl(first, second, sign * d)
        odds = (0.5 - a) * (second / first).sum(axis=-1)
        bias = bias + ((bins - 2) / 2 + a * bins + odds + a * lean) / size
    return Moments(total, variance, bias)


def _variance(values: Array, weights: Array) -> Any:
    centre = (weights * values).sum(axis=-1, keepdims=True)
    return (weights * (values - centre) ** 2).sum(axis=-1)
