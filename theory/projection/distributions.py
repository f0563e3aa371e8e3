"""Moments of a family's statistic under a frozen distribution of scipy.stats."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import Array, fail
from asymptopia.theory.projection.truths import Truth, from_weights

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

LEVELS = (8, 16, 32, 64, 128, 256)
"""Nodes a unit of the transformed variable, doubled until the moments stand still."""
STILL = 1e-12
"""Change, in standard deviations, at which they do."""
UNSETTLED = 1e-8
"""Change at the last doubling that is refused."""

_TAIL = 1e-13
_COARSE = 1e-9
"""The same at an end other than 0, where floats are coarse."""
_NEAR = 1e-13
"""Relative distance to an end other than 0 within which densities are not evaluated."""
_ENDS = 6.0
_BLOCK = 512
_MOST_STATES = 2**20
_MOST_NODES = 2**16


def frozen_truth(family: ExponentialFamily, law: Any) -> Truth:
    """Return the moments of the family's statistic under a frozen distribution.

    Raises
    ------
    TypeError
        If the distribution is multivariate and not of the family's own kind.
    ValueError
        If it has values outside the family's sample space, or a third moment of the statistic is infinite.

    Notes
    -----
    Discrete laws are summed outwards from the median until the remaining probability is below 1e-15 and the terms of
    the third moment below 1e-18 of their sum. Continuous ones are integrated on either side of the median by the
    double-exponential rules of Takahasi and Mori, which bear singularities of the density at the ends of its support;
    the grid is halved until the moments change by less than 1e-12 standard deviations. Mass that float64 cannot tell
    from an end of the support is put there, where the statistic is finite.

    References
    ----------
    .. [1] H. Takahasi, M. Mori, "Double exponential formulas for numerical integration", Publications of RIMS 9, 1974.
    """
    kind = type(law).__name__
    if kind == "multivariate_normal_frozen":
        return _normal(family, law)
    if kind == "dirichlet_frozen":
        return _own(family, "Dirichlet", law, lambda: family.natural(law.alpha))
    if kind == "multinomial_frozen":
        return _multinomial(family, law)
    # the newer distributions have both densities, whichever kind they are
    newer = {parent.__name__ for parent in type(law).__mro__} & {"ContinuousDistribution", "DiscreteDistribution"}
    if hasattr(law, "pmf") and hasattr(law, "support") and "ContinuousDistribution" not in newer:
        return _discrete(family, law)
    if hasattr(law, "pdf") and hasattr(law, "support"):
        return _continuous(family, law)
    message = (
        f"truth is a {kind} of scipy.stats; expected a univariate distribution, multivariate_normal, dirichlet or "
        "multinomial: give data drawn from it, or moments of the statistic"
    )
    raise TypeError(message)


def _discrete(family: ExponentialFamily, law: Any) -> Truth:
    listed = getattr(getattr(law, "dist", law), "xk", None)
    if listed is not None and not hasattr(law, "dist"):
        values = np.asarray(listed, dtype=float)
        return _summed(family.statistic(values), np.asarray(law.pmf(values), dtype=float), law)
    low, high = (float(end) for end in law.support())
    start = float(np.floor(law.median()))
    up = _march(family, law, start, high, 1)
    down = _march(family, law, start - 1.0, low, -1) if start > low else []
    rows = np.concatenate([block[0] for block in down[::-1] + up])
    chances = np.concatenate([block[1] for block in down[::-1] + up])
    return _summed(rows, chances, law)


def _summed(rows: Array, chances: Array, law: Any) -> Truth:
    total = float(chances.sum())
    if not abs(total - 1.0) <= 1e-9:
        raise fail("the sum of truth.pmf over its support", total, f"1 ({type(law).__name__}: integer values only)")
    return replace(from_weights(rows, chances / total, "distribution"), atoms=True)


def _march(family: ExponentialFamily, law: Any, start: float, end: float, sign: int) -> list[tuple[Array, Array]]:
    """Return statistics and probabilities from `start` towards `end` in blocks, until the rest does not matter."""
    blocks: list[tuple[Array, Array]] = []
    size, done, heaviest = _BLOCK, 0, 0.0
    while True:
        last = min(size, int(abs(end - start)) - done + 1) if np.isfinite(end) else size
        values = start + sign * (done + np.arange(last))
        chances = np.asarray(law.pmf(values), dtype=float)
        rows = family.statistic(values)
        order = slice(None) if sign > 0 else slice(None, None, -1)
        blocks.append((rows[order], chances[order]))
        weight = float(chances @ (1.0 + np.abs(rows).max(axis=1)) ** 3)
        heaviest = max(heaviest, weight)
        done += last
        if values[-1] == end:
            return blocks
        above = law.sf if hasattr(law, "sf") else law.ccdf
        rest = float(above(values[-1]) if sign > 0 else law.cdf(values[-1] - 1.0))
        if rest < 1e-15 and weight <= 1e-18 * heaviest:
            return blocks
        if done > _MOST_STATES:
            message = (
                f"the third moment of the statistic of {family.name} under truth is not settled after {done} values: "
                "the tail is too heavy (c2 needs six moments), or the law too wide; give moments"
            )
            raise ValueError(message)
        size *= 2


def _continuous(family: ExponentialFamily, law: Any) -> Truth:
    ends = tuple(float(end) for end in law.support())
    middle = float(law.median())
    if not np.isfinite(middle):
        raise fail("truth.median()", middle, "a finite number: parameters of the distribution out of range?")
    scale = _scale(law, middle)
    before: Truth | None = None
    change = np.inf
    for level in LEVELS:
        sides = [_half(family, law, middle, end, scale, level) for end in ends]
        x, weights = (np.concatenate(pair) for pair in zip(*sides, strict=True))
        order = np.argsort(x, kind="stable")
        rows, weights = family.statistic(x[order]), weights[order]
        _check_tails(family, rows, weights, ends)
        # as rows: a tensor of moments about a far mean would lose digits that they keep
        now = from_weights(rows, weights / weights.sum(), "distribution")
        if before is not None:
            change = _change(_dense(before), _dense(now))
            if change <= STILL:
                return now
        before = now
    if change > UNSETTLED:
        before, change = _adaptive(family, law, (ends[0], middle, ends[1]))
    if before is None or change > UNSETTLED:
        message = (
            f"the moments of the statistic of {family.name} under truth do not settle (they still change by "
            f"{change:.1g} standard deviations): the density has jumps or several scales; give moments or data"
        )
        raise ValueError(message)
    return before


def _half(
    family: ExponentialFamily, law: Any, middle: float, end: float, scale: float, level: int
) -> tuple[Array, Array]:
    """Return nodes and weights between the median and one end of the support."""
    x, dx = _side(middle, end, scale, level)
    with np.errstate(all="ignore"):
        weights = np.asarray(law.pdf(x), dtype=float) * dx
    kept = np.isfinite(weights) & (weights > 0.0) & (x != end)
    if not _bounded(family, end):
        return x[kept], weights[kept]
    # so near an end other than 0 floats are coarse, and the statistic is the same: what mass is left goes there
    kept &= np.abs(x - end) > _NEAR * abs(end)
    above = law.sf if hasattr(law, "sf") else law.ccdf
    rest = float(law.cdf(middle) if end < middle else above(middle)) - math.fsum(weights[kept])
    return np.append(x[kept], end), np.append(weights[kept], max(rest, 0.0))


def _bounded(family: ExponentialFamily, end: float) -> bool:
    """Return whether the statistic is finite at an end of the support."""
    if not np.isfinite(end):
        return False
    try:
        return bool(np.isfinite(family.statistic(np.array([end]))).all())
    except ValueError:
        return False


def _adaptive(family: ExponentialFamily, law: Any, ends: tuple[float, float, float]) -> tuple[Truth, float]:
    """Return the truth by adaptive quadrature, for densities with kinks, and its estimated error."""
    from scipy.integrate import quad_vec

    p = family.dim

    def moments(x: float) -> Array:
        row = family.statistic(np.array([x]))[0]
        pairs = np.outer(row, row)
        return float(law.pdf(x)) * np.concatenate(([1.0], row, pairs.ravel(), np.multiply.outer(pairs, row).ravel()))

    parts = [
        quad_vec(moments, *pair, epsabs=1e-13, epsrel=1e-13, norm="max", limit=2000)[:2] for pair in pairwise(ends)
    ]
    total = parts[0][0] + parts[1][0]
    total /= total[0]
    mean, second, third = total[1 : p + 1], total[p + 1 : p + 1 + p * p], total[p + 1 + p * p :]
    second, third = second.reshape(p, p), third.reshape(p, p, p)
    cov = second - np.outer(mean, mean)
    crossed = np.multiply.outer(cov, mean)
    third = third - crossed - crossed.transpose(0, 2, 1) - crossed.transpose(2, 0, 1)
    third -= np.einsum("i,j,k->ijk", mean, mean, mean)
    error = (parts[0][1] + parts[1][1]) / min(1.0, float(np.diag(cov).min())) ** 1.5
    return Truth(mean=mean, cov=cov, third=third, size=None, kind="distribution"), error


def _scale(law: Any, middle: float) -> float:
    quantile: Callable[[float], Any] = law.ppf if hasattr(law, "ppf") else law.icdf
    width = max(float(quantile(0.75)) - middle, middle - float(quantile(0.25)))
    return width if np.isfinite(width) and width > 0.0 else 1.0


def _side(middle: float, end: float, scale: float, level: int) -> tuple[Array, Array]:
    """Return nodes between the median and one end of the support, and the lengths they stand for."""
    t = np.arange(-_ENDS * level, _ENDS * level + 1) / level
    inner = 0.5 * np.pi * np.sinh(t)
    speed = 0.5 * np.pi * np.cosh(t) / level
    if np.isfinite(end):
        width = middle - end
        # distances from either end, each to full relative accuracy
        near, far = 1.0 / (1.0 + np.exp(2.0 * inner)), 1.0 / (1.0 + np.exp(-2.0 * inner))
        x = np.where(near < 0.5, end + width * near, middle - width * far)
        return x, 2.0 * abs(width) * near * far * speed
    inner = np.clip(inner, -350.0, 350.0)
    distance = scale * np.exp(inner)
    return middle + np.sign(end) * distance, distance * speed


def _check_tails(family: ExponentialFamily, rows: Array, weights: Array, ends: tuple[float, ...]) -> None:
    """Raise unless the terms of the third moment die out towards the ends at which the statistic is not finite."""
    with np.errstate(over="ignore", divide="ignore"):
        size = np.log(weights) + 3.0 * np.log1p(np.abs(rows).max(axis=1))
    most = size.max()
    for end, last in zip(ends, (size[0], size[-1]), strict=True):
        if _bounded(family, end):
            continue
        coarse = bool(np.isfinite(end)) and end != 0.0
        if last < most + np.log(_COARSE if coarse else _TAIL):
            continue
        what = (
            f"near {end:g} the statistic of {family.name} is so large that float64 numbers do not come near enough to "
            "it: give moments"
            if coarse
            else f"the third moment of the statistic of {family.name} under truth is infinite or beyond float64: the "
            "tail is too heavy for the coefficient of 1/n^2"
        )
        raise ValueError(what)


def _dense(truth: Truth) -> Truth:
    """Return the truth with its third cumulant as a tensor: p is small, the nodes are many."""
    rows: Any = truth.third
    third = np.einsum("a,ai,aj,ak->ijk", rows.weights, rows.rows, rows.rows, rows.rows, optimize=True)
    # rounding is not symmetric
    third = sum(third.transpose(order) for order in permutations(range(3))) / 6.0
    return Truth(mean=truth.mean, cov=truth.cov, third=third, size=None, kind="distribution")


def _change(before: Truth, now: Truth) -> float:
    sd = np.sqrt(np.maximum(np.diag(now.cov), np.finfo(float).tiny))
    mean = np.abs(now.centre() - before.centre()) / sd
    cov = np.abs(now.cov - before.cov) / np.outer(sd, sd)
    cubes = np.einsum("i,j,k->ijk", sd, sd, sd)
    third = np.abs(np.asarray(now.third) - np.asarray(before.third)) / cubes
    # relative to a third moment that may be large in these units
    largest = max(1.0, float((np.abs(np.asarray(now.third)) / cubes).max()))
    return max(float(mean.max()), float(cov.max()), float(third.max()) / largest)


def _normal(family: ExponentialFamily, law: Any) -> Truth:
    from asymptopia.theory.projection.families import MultivariateNormal, Normal

    if not isinstance(family, MultivariateNormal | Normal):
        raise _other("multivariate_normal", family)
    mean, cov = np.atleast_1d(law.mean), np.atleast_2d(law.cov)
    d = mean.size
    width = family.d if isinstance(family, MultivariateNormal) else 1
    if d != width:
        raise fail("the dimension of truth", d, f"{width}, that of {family.name}")
    if 4**d > _MOST_NODES:
        member: ExponentialFamily = family
        return _of_the_model(family, member.natural(mean, cov))
    # four nodes a coordinate are exact to degree 7, and the third moments of squares have degree 6
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    grid = _grid(nodes, d)
    chances = np.prod(_grid(weights / weights.sum(), d), axis=1)
    values, vectors = np.linalg.eigh(cov)
    x = mean + (grid * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return from_weights(
        family.statistic(x if isinstance(family, MultivariateNormal) else x[:, 0]), chances, "distribution"
    )


def _grid(nodes: Array, d: int) -> Array:
    return np.stack([axis.ravel() for axis in np.meshgrid(*[nodes] * d, indexing="ij")], axis=1)


def _multinomial(family: ExponentialFamily, law: Any) -> Truth:
    from asymptopia.theory.projection.families import Multinomial

    if not isinstance(family, Multinomial):
        raise _other("multinomial", family)
    if np.any(law.n != 1):
        raise fail("truth.n", law.n, "1: an observation of the multinomial family is one trial")
    chances: NDArray[np.float64] = np.asarray(law.p, dtype=float).reshape(-1)
    states = family.support()
    if chances.size != states.log_base.size:
        raise fail("truth.p.size", chances.size, f"{states.log_base.size} categories")
    return from_weights(states.statistic, chances / chances.sum(), "distribution")


def _own(family: ExponentialFamily, name: str, law: Any, theta: Callable[[], Array]) -> Truth:
    if type(family).__name__ != name:
        raise _other(type(law).__name__.removesuffix("_frozen"), family)
    return _of_the_model(family, theta())


def _of_the_model(family: ExponentialFamily, theta: Array) -> Truth:
    """Return the truth that is a member of the family."""
    return Truth(
        mean=family.mean(theta), cov=family.cov(theta), third=family.third(theta), size=None, kind="distribution"
    )


def _other(kind: str, family: ExponentialFamily) -> TypeError:
    message = (
        f"truth is a {kind} of scipy.stats and the family is {family.name}: moments of this statistic are not known in "
        "closed form; give data drawn from it, or moments of the statistic"
    )
    return TypeError(message)
