"""Contractions of third moments of whitened rows, through slices of the tensor or through products of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asymptopia.theory._core.validation import Array
from asymptopia.theory.projection.invariants import Rows

_BLOCK = 2048
_TILE = 512
_SLICES = 2**22


class Scalars(NamedTuple):
    """Means over the rows of what needs no pair of them, with q = y'Sy, S diagonal."""

    q: float
    q2: float
    v: Array
    """Mean of q y, shape (p,)."""
    d21: float
    """What each row's own influence adds to N |v|^2."""
    d22: float
    """The same for the contraction of the tensor with itself."""


class Thirds(NamedTuple):
    """The tensor of third moments contracted with itself and with the truth's; scales left out."""

    plain: float
    """T_ijk T_ijk."""
    spread: float
    """T_ijk T_ijk s_i s_j."""
    truth: float
    """T_ijk kappa_ijk; 0 where the truth is None."""


def row_scalars(y: Array, weights: Array | None, spread: Array) -> Scalars:
    """Return the means that need one pass over the rows.

    With ``h = y y y - sym(y I)``, the influence of a row on an unbiased third cumulant, ``d21 = E|h:S|^2`` and
    ``d22 = E h_iku h_iku s_i s_k``: over N they are the mean excess of the squares, which a sum over pairs of
    different rows leaves out.
    """
    n, p = y.shape
    trace, trace2 = float(spread.sum()), float(spread @ spread)
    columns = np.column_stack([np.ones(p), spread, spread**2])
    sums, v = np.zeros(4), np.zeros(p)
    for start in range(0, n, _BLOCK):
        block = y[start : start + _BLOCK]
        w = np.full(block.shape[0], 1.0 / n) if weights is None else weights[start : start + _BLOCK]
        square, q, r = ((block * block) @ columns).T
        v += (w * q) @ block
        over = q - trace
        own = over * over * square - 4.0 * over * q + 4.0 * r
        tensor = q * q * square - 2.0 * (r * square + 2.0 * q * q) + square * trace2 + 2.0 * q * trace + 6.0 * r
        sums += [w @ q, w @ (q * q), w @ own, w @ tensor]
    return Scalars(float(sums[0]), float(sums[1]), v, float(sums[2]), float(sums[3]))


def third_sums(y: Array, weights: Array | None, spread: Array, truth: Array | Rows | None, route: str) -> Thirds:
    """Return the contractions of third moments of the whitened rows `y`.

    Parameters
    ----------
    y : ndarray, shape (N, p)
    weights : ndarray, shape (N,), optional
        Summing to 1; equal where None.
    spread : ndarray, shape (p,)
        The diagonal of S.
    truth : ndarray, Rows or None
        Whitened third cumulant of the truth.
    route : {"auto", "tensor", "gram"}
        ``"tensor"`` costs N p^3, ``"gram"`` N^2 p; "auto" takes the cheaper.
    """
    chosen = _cheaper(y.shape, truth) if route == "auto" else route
    return (_by_slices if chosen == "tensor" else _by_pairs)(y, weights, spread, truth)


def _cheaper(shape: tuple[int, ...], truth: Array | Rows | None) -> str:
    n, p = shape
    m = truth.rows.shape[0] if isinstance(truth, Rows) else 0
    if isinstance(truth, np.ndarray):
        return "tensor"
    # measured: an entry of a tile costs as much as 30 multiplications of a large product, a scaled column 20
    tensor = (n + m) * (2.0 * p**3 / 3.0 + 20.0 * p**2)
    gram = n * n * (p * (1.0 if truth is None else 2.0) + 30.0) + m * n * (2.0 * p + 60.0)
    return "tensor" if tensor <= gram else "gram"


def _by_slices(y: Array, weights: Array | None, spread: Array, truth: Array | Rows | None) -> Thirds:
    """Sum over slices T[a, a:, a:], a group at a time: neither p^3 numbers nor a second copy of the rows is held."""
    p = y.shape[1]
    group = max(1, _SLICES // max(1, p * p))
    parts = [_group(y, weights, spread, truth, first, min(p, first + group)) for first in range(0, p, group)]
    plain, mixed, against = (sum(column) for column in zip(*parts, strict=True))
    return Thirds(plain, mixed, against * (truth.scale if isinstance(truth, Rows) else 1.0))


def _group(
    y: Array, weights: Array | None, spread: Array, truth: Array | Rows | None, first: int, last: int
) -> tuple[float, float, float]:
    model = _slices(y, weights, first, last)
    other = _slices(truth.rows, truth.weights, first, last) if isinstance(truth, Rows) else truth
    offset = first if isinstance(truth, Rows) else 0
    plain = mixed = against = 0.0
    for a in range(first, last):
        t = model[a - first, a:, a:]
        # the times that an unordered triple occurs: 3 of its places hold `a`, less where indices agree
        times = np.full(t.shape, 3.0)
        times[0] = times[:, 0] = 1.5
        times[0, 0] = 1.0
        times *= t
        if other is not None:
            against += float(np.vdot(times, other[a - offset, a:, a:]))
        times *= t
        plain += float(times.sum())
        s = spread[a:]
        mixed += float(2.0 * s[0] * (s @ times.sum(axis=1)) + s @ times @ s) / 3.0
    return plain, mixed, against


def _slices(y: Array, weights: Array | None, first: int, last: int) -> Array:
    """Return the moments E[y_a y_b y_c] for a from `first` to `last` and b, c >= a; the rest is 0."""
    n, p = y.shape
    out = np.zeros((last - first, p, p))
    for start in range(0, n, _BLOCK):
        block = y[start : start + _BLOCK]
        w = None if weights is None else weights[start : start + _BLOCK]
        for a in range(first, last):
            tail = block[:, a:]
            factor = block[:, a] if w is None else w * block[:, a]
            out[a - first, a:, a:] += (tail * factor[:, None]).T @ tail
    return out if weights is not None else np.divide(out, n, out=out)


def _by_pairs(y: Array, weights: Array | None, spread: Array, truth: Array | Rows | None) -> Thirds:
    """Sum over pairs of rows, a tile at a time: T_ijk T_ijk is the mean of (y_a . y_b)^3."""
    n = y.shape[0]
    w = np.full(n, 1.0 / n) if weights is None else weights
    plain = mixed = against = 0.0
    for i in range(0, n, _TILE):
        left, wl = y[i : i + _TILE], w[i : i + _TILE]
        for j in range(i, n, _TILE):
            right, wr = y[j : j + _TILE], w[j : j + _TILE]
            twice = 1.0 if i == j else 2.0
            g = left @ right.T
            cube = g * g
            cube *= g
            plain += twice * float(wl @ cube @ wr)
            if truth is not None:
                inner = (left * spread) @ right.T
                inner *= inner
                inner *= g
                mixed += twice * float(wl @ inner @ wr)
        against += _pairs_with_truth(left, wl, truth)
    return Thirds(plain, mixed if truth is not None else plain, against)


def _pairs_with_truth(left: Array, wl: Array, truth: Array | Rows | None) -> float:
    if truth is None:
        return 0.0
    if isinstance(truth, np.ndarray):
        p = truth.shape[0]
        total, step = 0.0, max(1, _SLICES // (p * p))
        for start in range(0, left.shape[0], step):
            y = left[start : start + step]
            inner = (y @ truth.reshape(p, p * p)).reshape(-1, p, p)
            total += float(wl[start : start + step] @ np.einsum("nij,ni,nj->n", inner, y, y))
        return total
    total, m = 0.0, truth.rows.shape[0]
    for start in range(0, m, _TILE):
        g = left @ truth.rows[start : start + _TILE].T
        cube = g * g
        cube *= g
        total += float(
            (wl @ cube).sum() / m if truth.weights is None else wl @ cube @ truth.weights[start : start + _TILE]
        )
    return truth.scale * total
