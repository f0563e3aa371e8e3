r"""Cumulants of the logarithms of Dirichlet shares: a diagonal less a constant, to every order."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.projection.families.digammas import pentagamma_excess, tetragamma_excess, trigamma_excess
from asymptopia.theory.projection.invariants import Contractions, Rows
from asymptopia.theory.projection.stable_risk import digamma_excess

Array = NDArray[np.float64]

_BLOCK = 1 << 21
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def mean(alpha: Array) -> Array:
    """Return the mean logarithms, (k,)."""
    total, rest = alpha.sum(), others(alpha)
    apart = np.log(alpha / total) - (digamma_excess(alpha) - digamma_excess(total))
    near = rest < alpha / 2
    # of a share near 1 the integral of the trigamma function from alpha to the sum
    step = np.where(near, rest, 0.0)
    nodes = alpha + np.multiply.outer((_NODES + 1) / 2, step)
    result: Array = np.where(near, -step * (_WEIGHTS / 2 @ _psi1(nodes)), apart)
    return result


def cov(alpha: Array) -> Array:
    """Return the covariance, (k, k)."""
    total, rest = alpha.sum(), others(alpha)
    result: Array = np.diag(_psi1(alpha)) - _psi1(total)
    near = rest < alpha / 2
    # as in `mean`: the variance of a share near 1 is a difference of trigamma functions that cancel
    nodes = alpha + np.multiply.outer((_NODES + 1) / 2, np.where(near, rest, 0.0))
    own = np.where(near, -rest * (_WEIGHTS / 2 @ _psi2(nodes)), _psi1(alpha) - _psi1(total))
    np.fill_diagonal(result, own)
    return result


def third(alpha: Array) -> Array:
    """Return the third cumulants, (k, k, k)."""
    result = np.full((alpha.size,) * 3, -_psi2(alpha.sum()))
    index = np.arange(alpha.size)
    result[index, index, index] += _psi2(alpha)
    return result


def fourth(alpha: Array, w: Array) -> Array:
    """Return the fourth cumulants contracted with w, (k, k)."""
    result: Array = np.diag(_psi3(alpha) * np.diag(w)) - _psi3(alpha.sum()) * w.sum()
    return result


class Axes(NamedTuple):
    r"""The whitened log shares y, with one axis u along :math:`\sqrt{r}` and the others across it.

    With :math:`r_a = 1/\psi_1(a)` and :math:`q_i = \sqrt{r_i}` the covariance is :math:`D(I - qq'/r_A)D` for
    :math:`D = \operatorname{diag}(1/q)` and A the sum of alpha. The vectors that carry T and Q become
    :math:`q_i(e_i^\perp + \tau q_i u)` and :math:`\tau R u` with :math:`R = \sum r_i`.
    """

    q: Array
    """Roots of r, (k,)."""
    unit: Array
    """u = q/|q|, (k,)."""
    stretch: float
    """What the axis u is scaled by: the root of r_A/(r_A - R)."""
    left: float
    r"""(r_A - R)/r_A, about (k - 1)/(2 A) for large alpha, taken from a - r_a so that A does not cancel."""

    @property
    def tau(self) -> float:
        """The ratio of stretch and |q|."""
        return self.stretch / math.sqrt(float(self.q @ self.q))

    @property
    def matrix(self) -> Array:
        """Y = matrix @ log x, (k, k)."""
        result: Array = np.diag(self.q) + (self.stretch - 1) * np.outer(self.unit, self.unit * self.q)
        return result


class Cubic(NamedTuple):
    """T by the number of its indices along u: 0, 1, 2, 3."""

    across: Array
    one: Array
    two: Array
    three: float


def axes(alpha: Array) -> Axes:
    """Return the axes at alpha."""
    total = float(alpha.sum())
    q = np.sqrt(1 / _psi1(alpha))
    left = _left(alpha, total) * float(_psi1(total))
    return Axes(q, q / math.sqrt(float(q @ q)), 1 / math.sqrt(left), left)


def cubic(alpha: Array, on: Axes) -> Cubic:
    r"""Return T on the axes, with the sums that cancel at large alpha taken analytically.

    Notes
    -----
    :math:`\psi_2(a)r_a^2 = -1 + c_a` with :math:`c_a \approx 1/(12a^2)`. Across u the constant drops out because q is
    along u; along u the sum of :math:`r_i` cancels against the term of A up to the part that `left` holds.
    """
    r, tau, total = on.q**2, on.tau, float(alpha.sum())
    psi2, small = _psi2(alpha), _cubic_excess(alpha)
    size = float(r.sum())
    if total < 1:
        # the constants are not 1 and 2 there
        small = psi2 * r**2
        last = float(np.sum(psi2 * r**3)) - float(_psi2(total)) * size**3
    else:
        kept = (1 - on.left) ** 2
        last = -size * on.left * (2 - on.left) + float(small @ r) - float(_cubic_excess(total)) * size * kept
    two = tau**2 * small * on.q
    return Cubic(psi2 * on.q**3, tau * psi2 * r**2, two - on.unit * (on.unit @ two), tau**3 * last)


def contractions(alpha: Array, truth_cov: Array | None, truth_third: Array | Rows | None) -> Contractions:
    """Return the contractions from k^2 numbers, with T and Q on the axes of `Axes`."""
    on = axes(alpha)
    t = cubic(alpha, on)
    k = alpha.size
    b, f, kurt = _powers(alpha, on, t, np.eye(k))
    if truth_cov is None:
        return Contractions(float(k), f, b, f, kurt, f, b, kurt)
    assert truth_third is not None
    matrix = on.matrix
    s = matrix @ truth_cov @ matrix.T
    if isinstance(truth_third, Rows):
        t1 = _rows(truth_third, on, t)
    else:
        t1 = _tensor(truth_third, on, t)
    return Contractions(float(np.trace(s)), t1, *_powers(alpha, on, t, s), f, b, kurt)


def _powers(alpha: Array, on: Axes, t: Cubic, s: Array) -> tuple[float, float, float]:
    """Return t21, t22 and t31 for the whitened second moments s."""
    across = np.eye(alpha.size) - np.outer(on.unit, on.unit)
    along = s @ on.unit
    p = across @ s @ across
    b = along - on.unit * (on.unit @ along)
    w = float(on.unit @ along)
    own = np.diag(p)
    a, one, m, c = t
    mb, pm = float(m @ b), p @ m
    first = float(one @ own) + 2 * mb + c * w
    rest = a * own + 2 * one * b
    rest = rest - on.unit * (on.unit @ rest) + m * w
    t21 = first**2 + float(rest @ rest)
    # slices of T along u, then across it
    slice_u = one @ p**2 @ one + 4 * (one * pm) @ b + 2 * c * (one @ b**2) + 2 * (m @ pm) * w
    slice_u += 2 * mb**2 + 4 * c * mb * w + c**2 * w**2
    slices = a @ (across * p**2) @ a + 4 * (a * b) @ (across * p) @ one + 2 * (a * m) @ b**2
    slices += 2 * w * (one @ (across * p) @ one) + 2 * (one * b) @ across @ (one * b)
    slices += 4 * w * (one * b) @ m + (m @ m) * w**2
    return t21, float(slice_u + slices), _quartic(alpha, on, p, b, w)


def _quartic(alpha: Array, on: Axes, p: Array, b: Array, w: float) -> float:
    r"""Return Q contracted with two of the second moments; :math:`\psi_3(a)r_a^3 = 2 + g_a`, as in `cubic`."""
    r, tau, total = on.q**2, on.tau, float(alpha.sum())
    psi3, small = _psi3(alpha), _quartic_excess(alpha)
    size, kept = float(r.sum()), (1 - on.left) ** 3
    if total < 1:
        small = psi3 * r**3
        last = float(np.sum(psi3 * r**4)) - float(_psi3(total)) * size**4
    else:
        lost = on.left * (3 - 3 * on.left + on.left**2)
        last = 2 * size * lost + float(small @ r) - float(_quartic_excess(total)) * size * kept
    own = np.diag(p)
    found = (psi3 * r**2) @ own**2 + 4 * tau * (psi3 * r**2 * on.q) @ (own * b)
    found += tau**2 * (psi3 * r**3) @ (2 * w * own + 4 * b**2)
    return float(found + 4 * w * tau**3 * (small * on.q) @ b + tau**4 * last * w**2)


def _rows(kappa: Rows, on: Axes, t: Cubic) -> float:
    """Return T contracted with a third cumulant held as rows."""
    rows = np.asarray(kappa.rows, dtype=float)
    n = rows.shape[0]
    weights = np.full(n, 1 / n) if kappa.weights is None else np.asarray(kappa.weights, dtype=float)
    step = max(1, _BLOCK // on.q.size)
    total = 0.0
    for start in range(0, n, step):
        y = rows[start : start + step] * on.q
        along = y @ on.unit
        y = y - np.multiply.outer(along, on.unit)
        along = along * on.stretch
        square = y * y
        cubes = (square * y) @ t.across + 3 * along * (square @ t.one) + 3 * along**2 * (y @ t.two)
        total += float(weights[start : start + step] @ (cubes + t.three * along**3))
    return kappa.scale * total


def _tensor(kappa: Array, on: Axes, t: Cubic) -> float:
    """Return T contracted with a third cumulant held as an array."""
    back = on.matrix.T
    u, m = back @ on.unit, back @ t.two
    along = kappa @ u
    total = 3 * float(m @ along @ u) + t.three * float(u @ along @ u)
    across = back - np.outer(u, on.unit)
    for weight, one, v in zip(t.across, t.one, across.T, strict=True):
        total += float(weight) * float(v @ (kappa @ v) @ v) + 3 * float(one) * float(v @ along @ v)
    return total


def others(alpha: Array) -> Array:
    """Return the sum of the other alphas for each, without subtraction."""
    left = np.concatenate([[0.0], np.cumsum(alpha)[:-1]])
    right = np.concatenate([np.cumsum(alpha[::-1])[::-1][1:], [0.0]])
    result: Array = left + right
    return result


def _left(alpha: Array, total: float) -> float:
    r"""Return :math:`r_A - \sum r_i` with r = 1/trigamma; above A = 1 as a difference of a - r, which is below 1/2."""
    if total < 1:
        return float(1 / _psi1(total) - np.sum(1 / _psi1(alpha)))
    return float(np.sum(_shortfall(alpha)) - _shortfall(total))


def _shortfall(a: Any) -> Any:
    r"""Return :math:`a - 1/\psi_1(a)`, from 0 to 1/2."""
    x = np.asarray(a) * trigamma_excess(a)
    return np.asarray(a) * x / (1 + x)


def _psi1(a: Any) -> Any:
    return 1 / np.asarray(a) + trigamma_excess(a)


def _psi2(a: Any) -> Any:
    return tetragamma_excess(a) - 1 / np.asarray(a) ** 2


def _psi3(a: Any) -> Any:
    return pentagamma_excess(a) + 2 / np.asarray(a) ** 3


def _cubic_excess(a: Any) -> Any:
    r"""Return :math:`1 + \psi_2(a)/\psi_1(a)^2`, about 1/(12 a^2) for large a."""
    inverse, x = 1 / np.asarray(a), trigamma_excess(a)
    return (2 * x * inverse + x * x + tetragamma_excess(a)) / (inverse + x) ** 2


def _quartic_excess(a: Any) -> Any:
    r"""Return :math:`\psi_3(a)/\psi_1(a)^3 - 2`, about -1/(2 a^2) for large a."""
    inverse, x = 1 / np.asarray(a), trigamma_excess(a)
    cubes = x * (3 * inverse * inverse + 3 * inverse * x + x * x)
    return (pentagamma_excess(a) - 2 * cubes) / (inverse + x) ** 3
