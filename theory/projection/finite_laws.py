"""Truths of exact risks: laws on finitely many values, laws of totals, and shapes of scipy's distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import fail, numeric
from asymptopia.theory.projection import total_laws
from asymptopia.theory.projection.whitening import whiten

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]

MOST_POINTS = 64
"""Points of a frozen discrete distribution up to which its samples are enumerated."""
_MOST_COUNTS = 2_000_000
_TAIL = 1e-18
_MATCH = 1e-6
_SAMPLED_MATCH = 10.0
_MOMENTS = {"mean", "cov", "third", "fourth"}


class FiniteLaw(NamedTuple):
    """A law on finitely many data values: their statistics, values and probabilities > 0."""

    values: NDArray[Any]
    rows: Array
    probs: Array


def is_frozen(truth: Any, *names: str) -> bool:
    """Return whether the truth is a distribution of scipy.stats, of one of the names where they are given."""
    if not type(truth).__module__.startswith("scipy.stats"):
        return False
    return not names or distribution_name(truth) in names


def distribution_name(truth: Any) -> str:
    """Return the name of a distribution of scipy.stats, such as "norm"; "" where it has none."""
    kind = getattr(truth, "dist", truth)
    name = str(getattr(kind, "name", "") or "")
    return "multivariate_normal" if type(truth).__name__ == "multivariate_normal_frozen" else name


def shapes(truth: Any) -> tuple[tuple[float, ...], float, float]:
    """Return shape parameters, location and scale of a frozen distribution."""
    found, loc, scale = truth.dist._parse_args(*truth.args, **truth.kwds)
    return tuple(float(item) for item in found), float(loc), float(scale)


def finite_law(family: ExponentialFamily, truth: Any) -> FiniteLaw | None:
    """Return the truth as a law on finitely many values, None if it is none.

    Parameters
    ----------
    family : ExponentialFamily
    truth : Any
        A mapping of values to probabilities, a distribution of scipy.stats on at most 64 integers or listed values,
        or, for a family of finitely many states, the probability of each.

    Raises
    ------
    ValueError
        If probabilities are negative or do not sum to 1, or a value is outside the sample space.
    """
    if isinstance(truth, Mapping) and not any(key in _MOMENTS for key in truth if isinstance(key, str)):
        return _law(family, np.array(list(truth)), np.array(list(truth.values())))
    if is_frozen(truth):
        listed = _listed(truth)
        return None if listed is None else _law(family, *listed)
    if isinstance(truth, np.ndarray | list | tuple) and not hasattr(truth, "_fields"):
        chances = np.asarray(truth)
        states = _states(family)
        if states is not None and chances.dtype.kind == "f" and chances.shape == (states.log_base.size,):
            return _law(family, states.states, chances)
    return None


def _states(family: ExponentialFamily) -> Any:
    try:
        return family.support()
    except TypeError:
        return None


def _law(family: ExponentialFamily, values: NDArray[Any], probs: Any) -> FiniteLaw:
    from asymptopia.theory.projection.families.finite import distribution

    if not values.shape[0]:
        raise fail("truth", "an empty mapping", "at least one value with its probability")
    chances = distribution("truth", probs, values.shape[0])
    kept = chances > 0.0
    values, chances = values[kept], chances[kept]
    return FiniteLaw(values, family.statistic(values), chances)


def _listed(truth: Any) -> tuple[NDArray[Any], Array] | None:
    """Return values and probabilities of a discrete distribution of scipy.stats with few values."""
    kind = getattr(truth, "dist", truth)
    if hasattr(kind, "xk") and hasattr(kind, "pk"):
        shift = shapes(truth)[1] if hasattr(truth, "dist") else 0.0
        return np.asarray(kind.xk) + shift, np.asarray(kind.pk, dtype=float)
    if not hasattr(truth, "pmf") or not hasattr(truth, "support"):
        return None
    low, high = truth.support()
    if not (math.isfinite(low) and math.isfinite(high)) or high - low >= MOST_POINTS:
        return None
    values = np.arange(int(low), int(high) + 1)
    chances = np.asarray(truth.pmf(values), dtype=float)
    return values, chances / math.fsum(chances)


def total_law(family: ExponentialFamily, truth: Any, n: int) -> tuple[total_laws.TotalLaw, float] | None:
    """Return the law of the sum of n counts and the mean of one, None where the truth is no law of counts."""
    if is_frozen(truth, "poisson", "nbinom", "binom", "bernoulli"):
        found, loc, _ = shapes(truth)
        if loc == 0.0:
            return _named(distribution_name(truth), found, n)
    law = finite_law(family, truth)
    if law is not None:
        counts = np.asarray(law.values, dtype=float).reshape(-1)
        return _tabulated(counts, law.probs, n)
    if is_frozen(truth) and hasattr(truth, "pmf"):
        low = float(truth.support()[0])
        if low < 0 or low != math.floor(low):
            raise fail("truth.support()[0]", low, f"whole numbers >= 0, the sample space of {family.name}")
        # isf cannot tell a probability of 1 - 1e-18 from 1
        high = max(low, math.ceil(float(truth.mean()))) + 16.0
        while high < truth.support()[1] and float(truth.sf(high)) > _TAIL:
            high *= 2.0
            if not high < _MOST_COUNTS:
                raise fail("the 1 - 1e-18 quantile of truth", high, f"below {_MOST_COUNTS}: the tail is too heavy")
        counts = np.arange(low, high + 1.0)
        chances = np.asarray(truth.pmf(counts), dtype=float)
        return _tabulated(counts, chances / math.fsum(chances), n)
    return None


def _named(name: str, found: tuple[float, ...], n: int) -> tuple[total_laws.TotalLaw, float]:
    if name == "poisson":
        return total_laws.poisson(n * found[0]), found[0]
    if name == "nbinom":
        size, success = found
        mean = size * (1.0 - success) / success
        return total_laws.negative_binomial(n * size, n * mean), mean
    trials, p = (1.0, found[0]) if name == "bernoulli" else found
    return total_laws.binomial(n * trials, p), trials * p


def _tabulated(counts: Array, probs: Array, n: int) -> tuple[total_laws.TotalLaw, float]:
    if counts.max() >= _MOST_COUNTS:
        raise fail("the largest count of truth", float(counts.max()), f"below {_MOST_COUNTS}")
    pmf = np.zeros(int(counts.max()) + 1)
    np.add.at(pmf, counts.astype(np.int64), probs)
    return total_laws.tabulated(pmf, n), math.fsum(probs * counts)


def on_states(family: ExponentialFamily, law: FiniteLaw) -> Array:
    """Return the law as probabilities of the states of a finite family; states of one statistic are one."""
    rows = family.support().statistic
    result = np.zeros(rows.shape[0])
    for row, chance in zip(law.rows, law.probs, strict=True):
        result[int(np.argmax((rows == row).all(axis=1)))] += chance
    return result


def check_projection(family: ExponentialFamily, theta: Array, mean: Array) -> None:
    """Raise ValueError unless the model at `theta` has the truth's mean of the statistic."""
    gap = whiten(family.cov(theta)).matrix @ (family.mean(theta) - numeric("mean", mean))
    distance = math.sqrt(float(gap @ gap))
    # moments from draws are known to their own noise only
    draws = getattr(family, "draws", None)
    if distance > (_MATCH if draws is None else _SAMPLED_MATCH * math.sqrt(family.dim / draws)):
        message = (
            f"theta is not the projection of truth: the mean of the statistic at theta is {distance:.3g} standard "
            "deviations from the truth's; leave theta out to have it computed"
        )
        raise ValueError(message)
