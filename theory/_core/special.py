r"""Special functions that keep every digit where the textbook form cancels or underflows.

All take and return float64 arrays (scalars give scalars) and are elementwise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_LOG2 = math.log(2.0)
_PHI_TERMS = 17


def phi(d: ArrayLike) -> Any:
    r"""Return :math:`\varphi(d) = (1+d)\log(1+d) - d`, the integrand of every KL divergence.

    Parameters
    ----------
    d : array_like
        Relative deviation, at least -1; :math:`\varphi(-1) = 1`.

    Notes
    -----
    Near 0 the two terms cancel to :math:`d^2/2`. With :math:`s = d/(2+d)`, so that
    :math:`\log(1+d) = 2\operatorname{artanh} s`, the function is
    :math:`d\,s\,[1 + (1 + s)(s/3 + s^3/5 + s^5/7 + \dots)]`, which is summed for -1/2 < d < 1.

    Examples
    --------
    >>> float(phi(1e-9))
    4.999999998333333e-19
    """
    d = np.asarray(d, dtype=float)
    small = (d > -0.5) & (d < 1.0)
    tiny = np.where(small, d, 0.0)
    ratio = tiny / (2.0 + tiny)
    square = ratio * ratio
    series = np.zeros_like(tiny)
    for k in range(_PHI_TERMS, 0, -1):
        series = 1.0 / (2 * k + 1) + square * series
    near = tiny * ratio * (1.0 + (1.0 + ratio) * ratio * series)
    large = np.where(small, 1.0, d)
    with np.errstate(divide="ignore", invalid="ignore"):
        direct = np.where(large == -1.0, 1.0, (1.0 + large) * np.log1p(large) - large)
    direct = np.where(large == np.inf, np.inf, direct)
    return np.where(small, near, direct)[()]


def log_ratio(p: ArrayLike, q: ArrayLike, d: ArrayLike | None = None) -> Any:
    """Return ``log(p / q)`` without cancellation where p is close to q.

    Parameters
    ----------
    p, q : array_like
        Numbers >= 0. ``p > 0 = q`` gives inf, ``p = 0 < q`` gives -inf, ``p = q = 0`` gives 0.
    d : array_like, optional
        ``p - q`` where it is known more exactly than the subtraction gives it.
    """
    p, q = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(q, dtype=float))
    diff = p - q if d is None else np.asarray(d, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = np.abs(diff) < q / 2
        close = np.log1p(np.where(near, diff, 0.0) / np.where(near, q, 1.0))
        apart = np.log(p) - np.log(q)
    return np.where((p == 0) & (q == 0), 0.0, np.where(near, close, apart))[()]


def kl(p: ArrayLike, q: ArrayLike, d: ArrayLike | None = None, axis: int = -1) -> Any:
    r"""Return the Kullback-Leibler divergence :math:`\sum p \log(p/q)` in nats, never negative.

    Parameters
    ----------
    p, q : array_like
        Probability vectors along `axis`, each summing to 1 (not checked).
    d : array_like, optional
        ``p - q`` where it is known more exactly.
    axis : int
        The axis of the cells.

    Notes
    -----
    Written :math:`\sum q\,\varphi((p-q)/q)`: adding :math:`\sum (q - p) = 0` makes every term non-negative, so
    nothing cancels. A cell with ``p > 0 = q`` gives inf.
    """
    p, q = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(q, dtype=float))
    diff = p - q if d is None else np.asarray(d, dtype=float)
    inside = q > 0
    terms = np.where(inside, q * phi(np.where(inside, diff, 0.0) / np.where(inside, q, 1.0)), 0.0)
    terms = np.where(~inside & (p > 0), np.inf, terms)
    return terms.sum(axis=axis)


def jeffreys_terms(p: ArrayLike, q: ArrayLike, d: ArrayLike | None = None) -> Any:
    r"""Return the terms :math:`(p-q)\log(p/q) \ge 0` of the Jeffreys divergence, in nats.

    Parameters
    ----------
    p, q : array_like
        Numbers >= 0. A term with exactly one zero is inf, with both zero it is 0.
    d : array_like, optional
        ``p - q`` where it is known more exactly.
    """
    p, q = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(q, dtype=float))
    diff = p - q if d is None else np.asarray(d, dtype=float)
    with np.errstate(invalid="ignore"):
        terms = diff * log_ratio(p, q, diff)
    return np.where(diff == 0, 0.0, terms)[()]


def log1mexp(x: ArrayLike) -> Any:
    """Return ``log(1 - exp(x))`` for x <= 0, exact at both ends (Maechler's two branches)."""
    x = np.asarray(x, dtype=float)
    near = x > -_LOG2
    with np.errstate(divide="ignore", invalid="ignore"):
        close = np.log(-np.expm1(np.where(near, x, -1.0)))
        far = np.log1p(-np.exp(np.where(near, -1.0, x)))
    return np.where(near, close, far)[()]


def logsumexp_pieces(x: ArrayLike, axis: int = -1) -> tuple[Any, Any]:
    """Return ``(m, s)`` with ``log(sum(exp(x))) = m + log(s)`` and 1 <= s <= the number of terms.

    Both pieces are kept where their sum would round away the second, or where sums are merged later. All -inf gives
    ``(-inf, 0)``.
    """
    x = np.asarray(x, dtype=float)
    top = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isneginf(top), 0.0, top)
    with np.errstate(invalid="ignore"):
        total = np.where(np.isposinf(top), 1.0, np.exp(x - shift)).sum(axis=axis)
    return np.squeeze(top, axis=axis)[()], total
