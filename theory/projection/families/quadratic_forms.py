r"""Cumulants of linear and quadratic forms of a standard normal vector, contracted without any tensor of order p^3.

The whitened statistic of a normal family is y = (z_i; z_i z_j for i < j; (z_i^2 - 1)/sqrt 2). A combination of it is
:math:`\alpha'z + z'\beta z` with a symmetric matrix beta, and joint cumulants of such forms are traces:

.. math::

    \kappa(f_1,f_2,f_3) &= 8\operatorname{tr}\beta_1\beta_2\beta_3 + 2\sum \alpha_i'\beta_j\alpha_k, \\
    \kappa(f_1,\dots,f_4) &= 8\sum \operatorname{tr}\beta_1\beta_i\beta_j\beta_k
      + 4\sum \alpha_i'(\beta_k\beta_l + \beta_l\beta_k)\alpha_j,

summed over the arrangements that differ. A matrix S of second moments of y therefore enters only through its blocks
as arrays of d to the power 2, 3 and 4.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.projection.invariants import Contractions, Rows

Array = NDArray[np.float64]

_BLOCK = 1 << 21
"""Numbers in a block of matrices."""


class Layout(NamedTuple):
    """Where the linear and the quadratic statistics stand."""

    d: int
    """Dimension of the data."""
    linear: int
    """Number of linear statistics: d, or 0 where the mean is known."""
    first: NDArray[np.intp]
    """i of the quadratic statistics z_i z_j, i <= j, row by row of the upper triangle."""
    second: NDArray[np.intp]
    """j of them."""

    @property
    def p(self) -> int:
        """Number of statistics."""
        return self.linear + self.first.size

    @property
    def diagonal(self) -> NDArray[np.bool_]:
        """Which quadratic statistics are squares."""
        result: NDArray[np.bool_] = self.first == self.second
        return result


def layout(d: int, *, known_mean: bool = False) -> Layout:
    """Return the layout of the statistics of d-dimensional normal data."""
    first, second = np.triu_indices(d)
    return Layout(d, 0 if known_mean else d, first, second)


class Blocks(NamedTuple):
    """A matrix S of second moments of combinations, as arrays over the coefficients alpha and beta."""

    aa: Array
    """E alpha_i alpha_j, (d, d)."""
    ab: Array
    """E alpha_i beta_jk, (d, d, d)."""
    bb: Array
    """E beta_ij beta_kl, (d, d, d, d)."""
    square: Array
    """E beta beta, (d, d)."""
    mixed: Array
    """E beta alpha, (d,)."""


def blocks(s: Array, at: Layout) -> Blocks:
    """Return the blocks of a symmetric (p, p) matrix."""
    d, linear = at.d, at.linear
    place, scale = _embedding(at)
    quad = s[linear:, linear:]
    bb = quad[np.ix_(place.ravel(), place.ravel())] * np.multiply.outer(scale.ravel(), scale.ravel())
    bb = bb.reshape(d, d, d, d)
    aa, ab = np.zeros((d, d)), np.zeros((d, d, d))
    if linear:
        aa[:] = s[:d, :d]
        ab[:] = s[:d, linear:][:, place] * scale
    return Blocks(aa, ab, bb, np.einsum("ikkj->ij", bb), np.einsum("iij->j", ab))


def contractions(at: Layout, truth_cov: Array | None = None, truth_third: Array | Rows | None = None) -> Contractions:
    """Return the contractions for the whitened statistic y, of which `truth_cov` and `truth_third` are cumulants."""
    f, b, k = invariants(at)
    if truth_cov is None:
        return Contractions(float(at.p), f, b, f, k, f, b, k)
    s = blocks(truth_cov, at)
    assert truth_third is not None
    t1 = _rows(truth_third, at) if isinstance(truth_third, Rows) else _tensor(truth_third, at)
    return Contractions(float(np.trace(truth_cov)), t1, _t21(s), _t22(s), _t31(s), f, b, k)


def invariants(at: Layout) -> tuple[float, float, float]:
    """Return F, B and K of the model: traces with E beta beta = (d + 1)/4 I."""
    d = at.d
    pairs, squares = d * d + 3 * d, d * (d + 1) ** 2
    if not at.linear:
        return float(pairs + squares), float(2 * squares), float(pairs + 2 * squares)
    f = pairs + squares + 2 * d * (d + 1) + d * (d + 1)
    return float(f), float(2 * d * (d + 2) ** 2), float(pairs + 2 * squares + 4 * d * (d + 1))


def third(alpha: Array, beta: Array) -> Array:
    """Return the third cumulants of the forms with coefficients alpha (p, d) and beta (p, d, d), (p, p, p)."""
    p, d = alpha.shape
    flat = beta.reshape(p, d * d)
    products = np.matmul(beta[:, None], beta[None]).reshape(p * p, d * d)
    result: Array = 8 * (products @ flat.T).reshape(p, p, p)
    # alpha_u' beta_w alpha_v
    outer = np.einsum("ui,vj->uvij", alpha, alpha).reshape(p * p, d * d)
    sandwich = 2 * (outer @ flat.T).reshape(p, p, p)
    result += sandwich + sandwich.transpose(0, 2, 1) + sandwich.transpose(2, 1, 0)
    return result


def fourth(s: Array, at: Layout) -> Array:
    """Return the fourth cumulants of y contracted with a symmetric matrix s, (p, p)."""
    d, linear = at.d, at.linear
    part = blocks(s, at)
    eye = np.eye(d)
    quad = np.einsum("li,jk->ijkl", 32 * part.square + 8 * part.aa, eye)
    quad += 16 * part.bb.transpose(1, 2, 3, 0)
    quad += quad.transpose(1, 0, 2, 3)
    quad += quad.transpose(0, 1, 3, 2)
    scale = np.where(at.diagonal, 1 / math.sqrt(2), 1.0)
    chosen = quad[at.first, at.second][:, at.first, at.second] / 4
    result = np.zeros((at.p, at.p))
    result[linear:, linear:] = chosen * np.multiply.outer(scale, scale)
    result[linear:, linear:] += result[linear:, linear:].T
    result[linear:, linear:] /= 2
    if linear:
        result[:d, :d] = 8 * part.square
        # coefficient of a_k and beta_ij
        cross = np.einsum("i,jk->kij", part.mixed, eye) + part.ab.transpose(2, 0, 1)
        cross = 4 * (cross + cross.transpose(0, 2, 1))
        result[:d, linear:] = cross[:, at.first, at.second] * scale
        result[linear:, :d] = result[:d, linear:].T
    return result


def combinations(y: Array, at: Layout) -> tuple[Array, Array]:
    """Return the coefficients alpha (n, d) and beta (n, d, d) of rows of coefficients of y, (n, p)."""
    place, scale = _embedding(at)
    alpha = y[:, : at.d] if at.linear else np.zeros((y.shape[0], at.d))
    return alpha, y[:, at.linear :][:, place] * scale


def change(matrix: Array, shift: Array, at: Layout) -> Array:
    """Return the coefficients of (u, uu') for u = ``matrix @ v + shift`` on the statistics of v, (p, p).

    Both in the order of the layout, products without scale; constants are left out. Where the mean is known the shift
    has to be 0.
    """
    linear, i, j = at.linear, at.first, at.second
    result = np.zeros((at.p, at.p))
    products = np.einsum("qk,ql->qkl", matrix[i], matrix[j])
    products += products.transpose(0, 2, 1)
    chosen = products[:, i, j]
    chosen[:, at.diagonal] /= 2
    result[linear:, linear:] = chosen
    if linear:
        result[:linear, :linear] = matrix
        result[linear:, :linear] = shift[i][:, None] * matrix[j] + shift[j][:, None] * matrix[i]
    return result


def _embedding(at: Layout) -> tuple[NDArray[np.intp], Array]:
    """Return the place of each beta_ij among the quadratic statistics, and its coefficient there."""
    place = np.zeros((at.d, at.d), dtype=np.intp)
    place[at.first, at.second] = np.arange(at.first.size)
    place[at.second, at.first] = place[at.first, at.second]
    scale = np.full((at.d, at.d), 0.5)
    np.fill_diagonal(scale, 1 / math.sqrt(2))
    return place, scale


def _t21(s: Blocks) -> float:
    matrix = 8 * s.square + 2 * s.aa
    return 0.5 * float(np.vdot(matrix, matrix)) + 16 * float(s.mixed @ s.mixed)


def _t22(s: Blocks) -> float:
    trace = float(np.trace(s.aa))
    pairs = 16 * _alternating(s) + 16 * float(np.vdot(s.square, s.square))
    mixed = 8 * float(np.vdot(s.aa, s.square)) + 16 * _crossed(s) + 8 * float(s.mixed @ s.mixed)
    return pairs + mixed + trace**2 + float(np.vdot(s.aa, s.aa))


def _t31(s: Blocks) -> float:
    pairs = 32 * float(np.vdot(s.square, s.square)) + 16 * _alternating(s)
    return pairs + 16 * (float(np.vdot(s.aa, s.square)) + float(s.mixed @ s.mixed) + _crossed(s))


def _alternating(s: Blocks) -> float:
    """Return E tr(beta beta' beta beta') for independent beta and beta'."""
    return float(np.vdot(s.bb, s.bb.transpose(3, 0, 1, 2)))


def _crossed(s: Blocks) -> float:
    """Return the sum of (E alpha_k beta_ij)(E alpha_i beta_jk)."""
    return float(np.vdot(s.ab, s.ab.transpose(1, 2, 0)))


def _rows(kappa: Rows, at: Layout) -> float:
    """Return T contracted with a third cumulant held as rows: the third cumulant of each row's combination."""
    rows = np.asarray(kappa.rows, dtype=float)
    n = rows.shape[0]
    weights = np.full(n, 1 / n) if kappa.weights is None else np.asarray(kappa.weights, dtype=float)
    step = max(1, _BLOCK // at.d**2)
    total = 0.0
    for start in range(0, n, step):
        alpha, beta = combinations(rows[start : start + step], at)
        cubes = 8 * np.einsum("nij,nij->n", np.matmul(beta, beta), beta)
        if at.linear:
            cubes += 6 * np.einsum("ni,ni->n", np.matmul(beta, alpha[:, :, None])[:, :, 0], alpha)
        total += float(weights[start : start + step] @ cubes)
    return kappa.scale * total


def _tensor(kappa: Array, at: Layout) -> float:
    """Return T contracted with a third cumulant held as a (p, p, p) array."""
    d, linear = at.d, at.linear
    place, scale = _embedding(at)
    i, j, k = np.indices((d, d, d))
    quad = linear + place
    total = 8 * float(np.sum(kappa[quad[i, j], quad[j, k], quad[k, i]] * scale[i, j] * scale[j, k] * scale[k, i]))
    if linear:
        i, j = np.indices((d, d))
        total += 6 * float(np.sum(kappa[i, quad, j] * scale))
    return total
