r"""Generators of f-divergences: what a divergence, its gradient and its Hessian need from each cell.

Every kind but Jensen-Shannon is a weighted sum of members of the alpha family

.. math:: f_\alpha(r) = \frac{r^\alpha - \alpha r - (1 - \alpha)}{\alpha (\alpha - 1)}, \qquad
          f_\alpha'(r) = \frac{r^{\alpha-1} - 1}{\alpha - 1}, \qquad f_\alpha''(r) = r^{\alpha - 2},

with the limits :math:`r \log r - r + 1` at 1 and :math:`-\log r + r - 1` at 0. All have ``f(1) = f'(1) = 0``, so that
each cell's term is at least 0 and nothing cancels where the two shares are close.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import log_ratio, phi
from asymptopia.theory._core.validation import choice, fail, real
from asymptopia.theory.scorecard.shares import Shares

Array = NDArray[np.float64]

_MEMBERS: dict[str, tuple[tuple[float, float], ...]] = {
    "kl": ((1.0, 1.0),),
    "reverse-kl": ((1.0, 0.0),),
    "jeffreys": ((1.0, 1.0), (1.0, 0.0)),
    "js": (),
    "hellinger": ((0.25, 0.5),),
    "pearson": ((2.0, 2.0),),
    "neyman": ((2.0, -1.0),),
}
KINDS = (*_MEMBERS, "alpha")
LARGEST_ALPHA = 10.0
_SERIES_TERMS = 16


class Cells(NamedTuple):
    r"""What each cell contributes, with :math:`r = p/q`; arrays of the shape of the shares.

    Attributes
    ----------
    term : ndarray
        :math:`q f(r) \ge 0`; its sum is the divergence.
    u, v : ndarray
        The gradient :math:`f'(r)` in p and :math:`f(r) - r f'(r)` in q. 0 where that sample's share is 0, for there
        they have no weight.
    bend_p, bend_q : ndarray
        :math:`r f''(r)` and :math:`r^2 f''(r)`: the Hessian has :math:`f''/q` = bend_p / p, :math:`r^2 f''/q` =
        bend_q / q on its diagonal and :math:`-r f''/q` = -bend_p / q across.
    lean_p, lean_q : ndarray
        ``bend_p / 2 + a u`` and ``bend_q / 2 + a v``: bias and shift by the pseudo-count a, which can cancel.
    edge_p, edge_q : ndarray
        The limits of :math:`p u^2` where p is 0 and of :math:`q v^2` where q is 0.
    """

    term: Array
    u: Array
    v: Array
    bend_p: Array
    bend_q: Array
    lean_p: Array
    lean_q: Array
    edge_p: Array
    edge_q: Array


@dataclass(frozen=True)
class Generator:
    """A convex f with ``f(1) = f'(1) = 0``.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    alpha : float or None
        Order, of kind "alpha" only.
    """

    kind: str
    alpha: float | None = None

    @property
    def members(self) -> tuple[tuple[float, float], ...]:
        """Weights and orders in the alpha family; none for Jensen-Shannon."""
        return ((1.0, self.alpha),) if self.alpha is not None else _MEMBERS[self.kind]

    @property
    def curvature(self) -> float:
        """``f''(1)``: near equality the divergence is half of it times the chi-square distance."""
        return sum(weight for weight, _ in self.members) or 0.25

    def cells(self, shares: Shares, a: float = 0.0) -> Cells:
        """Return what each cell contributes, for estimates that add `a` to each count."""
        if not self.members:
            return _jensen_shannon(shares, a)
        parts = [[weight * part for part in _member(shares, order, a)] for weight, order in self.members]
        found = [np.asarray(sum(part)) for part in zip(*parts, strict=True)]
        scale = sum(weight for weight, _ in self.members)
        # the edges are squares
        return Cells(*found[:-2], *(edge * scale for edge in found[-2:]))

    def terms(self, shares: Shares) -> Array:
        """Return the terms of the divergence alone."""
        if not self.members:
            return _jensen_shannon(shares, 0.0).term
        log = log_ratio(*shares)
        return np.asarray(sum(weight * _term(shares, log, order) for weight, order in self.members))


def generator_of(kind: str, alpha: float | None) -> Generator:
    """Return the generator of `kind`.

    Raises
    ------
    ValueError
        If the kind is unknown, `alpha` is missing for "alpha" or given for another kind, or not in [-10, 10].
    """
    choice("kind", kind, KINDS)
    if kind != "alpha":
        if alpha is not None:
            raise fail("alpha", alpha, f"None for kind={kind!r}: only kind='alpha' has an order")
        return Generator(kind)
    if alpha is None:
        raise fail("alpha", None, "the order of kind='alpha', such as 0.5")
    return Generator(kind, real("alpha", alpha, -LARGEST_ALPHA, LARGEST_ALPHA))


def exp_divided_difference(x: Array, y: Array) -> Array:
    """Return the second divided difference of exp at 0, `x` and `y`.

    Notes
    -----
    Where the three points lie within 1 of each other, a series in their complete homogeneous sums around the middle;
    elsewhere the quotient of first differences, which loses no more than a factor of 3.
    """
    from scipy.special import exprel

    low, mid, high = np.sort(np.stack(np.broadcast_arrays(np.zeros_like(x), x, y)), axis=0)
    near = high - low < 1
    centre = (low + high) / 2
    # complete homogeneous sums h_k of three numbers, from the recursion in the number of variables
    points = [np.where(near, point - centre, 0.0) for point in (low, mid, high)]
    sums = [np.ones_like(centre)] * 3
    total = np.full_like(centre, 0.5)
    factorial = 2.0
    for k in range(1, _SERIES_TERMS):
        first = points[0] * sums[0]
        second = first + points[1] * sums[1]
        sums = [first, second, second + points[2] * sums[2]]
        factorial *= k + 2
        total = total + sums[2] / factorial
    with np.errstate(over="ignore", invalid="ignore"):
        close = np.exp(np.where(near, centre, 0.0)) * total
        width = np.where(near, 1.0, high - low)
        apart = (np.exp(mid) * exprel(high - mid) - np.exp(low) * exprel(mid - low)) / width
    return np.asarray(np.where(near, close, apart))


def _member(shares: Shares, order: float, a: float) -> list[Array]:
    p, q, _ = shares
    log = log_ratio(*shares)
    empty_p, empty_q = (p == 0) & (q > 0), (q == 0) & (p > 0)
    both = (p == 0) & (q == 0)
    # r**(order - 1) - 1 over order - 1, and minus r**order - 1 over order
    u, v = _box_cox(shares, log, order - 1), -_box_cox(shares, log, order)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(both, 1.0, p / q)
        bends = [np.where(both, 0.0, np.power(ratio, power)) for power in (order - 1, order)]
    u, v = np.where(p == 0, 0.0, u), np.where(q == 0, 0.0, v)
    # bend_p = 1 + (order - 1) u and bend_q = 1 - order v, so that what cancels is left out
    leans = [np.where(both, 0.0, 0.5 + (a + (order - 1) / 2) * u), np.where(both, 0.0, 0.5 + (a - order / 2) * v)]
    for i, empty in enumerate((empty_p, empty_q)):
        leans[i] = np.where(empty, bends[i] / 2, leans[i])
    edges = [
        np.where(empty, _edge(order) * np.where(empty, other, 1.0), 0.0)
        for empty, other, order in ((empty_p, q, order), (empty_q, p, 1 - order))
    ]
    return [_term(shares, log, order), u, v, *bends, *leans, *edges]


def _edge(order: float) -> float:
    """Return the limit of ``p u**2 / q`` at p = 0."""
    if order == 0.5:
        return 4.0
    return 0.0 if order > 0.5 else math.inf


def _box_cox(shares: Shares, log: Array, power: float) -> Array:
    """Return ``(r**power - 1) / power``, the logarithm at 0, to the relative accuracy of p - q."""
    from scipy.special import exprel

    p, q, _ = shares
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if exact := _EXACT_POWERS.get(power):
            found = exact(shares)
        elif power == 0:
            found = log
        else:
            found = np.where(np.isfinite(log), log * exprel(power * log), np.expm1(power * log) / power)
    return np.asarray(np.where((p == 0) & (q == 0), 0.0, found))


def _term(shares: Shares, log: Array, order: float) -> Array:
    p, q, _ = shares
    empty_p, empty_q = (p == 0) & (q > 0), (q == 0) & (p > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if exact := _EXACT_TERMS.get(order):
            found = exact(shares)
        else:
            finite = np.where(np.isfinite(log), log, 0.0)
            found = q * finite * finite * exp_divided_difference(order * finite, finite)
        found = np.where(empty_p, q / order if order > 0 else np.inf, found)
        found = np.where(empty_q, p / (1 - order) if order < 1 else np.inf, found)
    return np.asarray(np.where((p == 0) & (q == 0), 0.0, found))


def _root_sum(shares: Shares) -> Array:
    return np.asarray(np.sqrt(shares.p) + np.sqrt(shares.q))


_EXACT_POWERS: dict[float, Callable[[Shares], Any]] = {
    1.0: lambda s: s.d / s.q,
    -1.0: lambda s: s.d / s.p,
    2.0: lambda s: s.d / s.q * ((s.p + s.q) / (2 * s.q)),
    -2.0: lambda s: s.d / s.p * ((s.p + s.q) / (2 * s.p)),
    0.5: lambda s: 2 * s.d / (np.sqrt(s.q) * _root_sum(s)),
    -0.5: lambda s: 2 * s.d / (np.sqrt(s.p) * _root_sum(s)),
}
_EXACT_TERMS: dict[float, Callable[[Shares], Any]] = {
    1.0: lambda s: s.q * phi(np.where(s.q > 0, s.d / s.q, 0.0)),
    0.0: lambda s: s.p * phi(np.where(s.p > 0, -s.d / s.p, 0.0)),
    0.5: lambda s: 2 * (s.d / _root_sum(s)) ** 2,
    2.0: lambda s: s.d / s.q * s.d / 2,
    -1.0: lambda s: s.d / s.p * s.d / 2,
}


def _jensen_shannon(shares: Shares, a: float) -> Cells:
    p, q, d = shares
    middle = (p + q) / 2
    away = d / 2
    # u = log(p / middle) / 2 and v = log(q / middle) / 2
    u = np.where(p == 0, 0.0, log_ratio(p, middle, away) / 2)
    v = np.where(q == 0, 0.0, log_ratio(q, middle, -away) / 2)
    used = middle > 0
    relative = np.where(used, away, 0.0) / np.where(used, middle, 1.0)
    term = middle * (phi(relative) + phi(-relative)) / 2
    width = np.where(used, 4 * middle, 1.0)
    bends = q / width, p / width
    none = np.zeros_like(term)
    return Cells(term, u, v, *bends, bends[0] / 2 + a * u, bends[1] / 2 + a * v, none, none)
