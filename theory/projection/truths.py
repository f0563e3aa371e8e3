"""The truth in the coordinates of a family: mean, covariance and third cumulant of its statistic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import Array, fail, numeric
from asymptopia.theory.projection.families.finite import SUM_TOLERANCE, distribution
from asymptopia.theory.projection.families.protocol import check_family
from asymptopia.theory.projection.invariants import Rows
from asymptopia.theory.projection.whitening import covariance_matrix

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

MOMENTS = ("mean", "cov", "third", "fourth")
"""Names of the moments of a truth given by moments."""

LEAST_ROWS = 3
"""The unbiased third cumulant divides by n - 2."""

_KINDS = (
    "data (one row an observation), a pmf on the family's support, a mapping of values to probabilities, a mapping of "
    "moments (mean, cov, third), or a frozen distribution of scipy.stats"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Moments of a family's statistic under the law that the data come from."""

    mean: Array | None
    """(p,); None where only higher moments were given, so that theta must be."""
    cov: Array
    """(p, p); of data with the divisor n - 1."""
    third: Array | Rows
    """Third cumulant, (p, p, p) or as rows."""
    size: int | None
    """Number of observations where the truth is data."""
    kind: str
    """"data", "pmf", "moments" or "distribution"."""
    fourth: Any = None
    """What was given for it, not used to order n^-2."""
    atoms: bool = False
    """Whether the truth is a law known to be on separate values, of which a sample may hold one only."""

    def centre(self) -> Array:
        """Return the mean of the statistic.

        Raises
        ------
        ValueError
            If only higher moments were given.
        """
        if self.mean is None:
            message = "the truth has no mean, so that its projection is not known: give mean= in the moments, or theta"
            raise ValueError(message)
        return self.mean


def resolve_truth(family: ExponentialFamily, truth: Any) -> Truth:
    r"""Return mean, covariance and third cumulant of a family's statistic under a truth.

    Parameters
    ----------
    family : ExponentialFamily
    truth : array_like, mapping, NamedTuple or scipy.stats frozen distribution
        * Data as ``family.statistic`` takes them, one row an observation: the unbiased covariance (divisor n - 1) and
          the unbiased third cumulant, with :math:`n^2/((n-1)(n-2))` before the mean of the cubes.
        * For a family with finitely many states, a float array with a probability of each state in the order of
          ``family.support()``, which sums to 1.
        * A mapping of data values to probabilities, such as ``{0: 0.2, 1: 0.8}``; a tuple for a row of several. It
          suits any family, also one that cannot have made these values.
        * A mapping or an object with the moments ``cov`` (p, p) and ``third`` (p, p, p) of the statistic, and ``mean``
          (p,) unless theta is given.
        * A frozen distribution of scipy.stats: univariate, discrete or continuous; for the family of the same name also
          ``multivariate_normal``, ``dirichlet`` and ``multinomial`` with one trial.

    Returns
    -------
    Truth

    Raises
    ------
    TypeError
        If `family` is no exponential family, or the truth is none of these.
    ValueError
        If values are outside the family's sample space, probabilities do not sum to 1, moments have other shapes, or a
        moment of the statistic is infinite under the distribution.

    Examples
    --------
    A three-point law under the normal family, whose statistic is (x, x^2) or an affine image of it:

    >>> from asymptopia.theory.projection.families.normal import Normal
    >>> law = resolve_truth(Normal(), {-1.0: 0.3, 0.0: 0.45, 2.0: 0.25})
    >>> law.kind, law.cov.shape
    ('pmf', (2, 2))
    """
    check_family(family)
    if truth is None:
        message = f"truth is None; expected {_KINDS}"
        raise TypeError(message)
    if type(truth).__module__.startswith("scipy.stats"):
        from asymptopia.theory.projection.distributions import frozen_truth

        return frozen_truth(family, truth)
    named = _named_moments(truth)
    if named is not None:
        return _from_moments(family, named)
    if isinstance(truth, Mapping):
        return _from_mapping(family, truth)
    if isinstance(truth, str | bytes) or callable(truth):
        message = f"truth is of type {type(truth).__name__}; expected {_KINDS}"
        raise TypeError(message)
    values = np.asarray(truth)
    table = getattr(family, "levels", None)
    if table is not None and values.ndim > 1 and values.shape == table and values.dtype.kind == "f":
        values = values.ravel()
    if _is_pmf(family, values):
        states = family.support()
        chances = distribution("truth", values, states.log_base.size)
        return from_weights(states.statistic, chances, "pmf")
    return from_rows(family.statistic(values))


def from_rows(rows: ArrayLike) -> Truth:
    """Return the truth of a sample of the statistic, (n, p): unbiased covariance and third cumulant."""
    values = numeric("the statistic of the data", rows, min_ndim=2)
    n = values.shape[0]
    if n < LEAST_ROWS:
        raise fail("the number of observations", n, f"at least {LEAST_ROWS}, for a third cumulant")
    mean = values.mean(axis=0)
    shifted = values - mean
    cov = shifted.T @ shifted / (n - 1)
    return _truth(mean, cov, Rows(shifted, None, n * n / ((n - 1) * (n - 2))), "data", n)


def from_weights(rows: Array, weights: Array, kind: str) -> Truth:
    """Return the truth of a law on the rows of a statistic, weights summing to 1."""
    kept = weights > 0.0
    rows, weights = rows[kept], weights[kept]
    mean = weights @ rows
    shifted = rows - mean
    cov = (shifted * weights[:, None]).T @ shifted
    return _truth(mean, cov, Rows(shifted, weights, 1.0), kind, atoms=kind == "pmf")


def _truth(
    mean: Array | None,
    cov: Array,
    third: Array | Rows,
    kind: str,
    size: int | None = None,
    fourth: Any = None,
    *,
    atoms: bool = False,
) -> Truth:
    cov = 0.5 * (cov + cov.T)
    # rows that a caller gave stay as they are
    held = (
        [] if isinstance(third, Rows) and kind == "moments" else list(third[:2]) if isinstance(third, Rows) else [third]
    )
    for array in (mean, cov, *held):
        if array is not None:
            array.setflags(write=False)
    return Truth(mean=mean, cov=cov, third=third, size=size, kind=kind, fourth=fourth, atoms=atoms)


def _is_pmf(family: ExponentialFamily, values: NDArray[Any]) -> bool:
    """Return whether a float vector is a probability of each state; refuse one that is data as well."""
    if values.dtype.kind != "f" or values.ndim != 1:
        return False
    try:
        states = family.support()
    except TypeError:
        return False
    size = states.log_base.size
    if values.size != size or not np.isfinite(values).all() or (values < 0.0).any():
        return False
    if abs(float(values.sum()) - 1.0) > SUM_TOLERANCE:
        return False
    if states.states.ndim == 1 and states.states.dtype.kind in "biuf" and np.isin(values, states.states).all():
        message = (
            f"truth is {values.tolist()}, which may be data or probabilities of the {size} states; give probabilities "
            "as a mapping of values to probabilities, data as integers"
        )
        raise ValueError(message)
    return True


def _named_moments(truth: Any) -> dict[str, Any] | None:
    """Return the moments of a mapping or object that names them, else None."""
    if isinstance(truth, Truth):
        return {name: getattr(truth, name) for name in MOMENTS}
    if isinstance(truth, Mapping):
        names = [key for key in truth if isinstance(key, str) and key in MOMENTS]
        if not names:
            return None
        extra = [key for key in truth if key not in MOMENTS]
        if extra:
            raise fail("truth", extra[0], f"moments named {', '.join(MOMENTS)} only")
        return dict(truth)
    # arrays and data frames have methods of these names
    if isinstance(truth, np.ndarray | list) or (isinstance(truth, tuple) and not hasattr(truth, "_fields")):
        return None
    found = {name: getattr(truth, name) for name in MOMENTS if hasattr(truth, name)}
    if "cov" not in found or any(callable(value) for name, value in found.items() if name != "fourth"):
        return None
    return found


def _from_moments(family: ExponentialFamily, moments: Mapping[str, Any]) -> Truth:
    p = family.dim
    given = {name: value for name, value in moments.items() if value is not None}
    for name in ("cov", "third"):
        if name not in given:
            message = (
                f"truth has no {name!r}; expected cov ({p}, {p}) and third ({p}, {p}, {p}), central moments of the "
                f"statistic of {family.name}, and mean ({p},) unless theta is given"
            )
            raise ValueError(message)
    cov = covariance_matrix("truth['cov']", np.atleast_2d(np.asarray(given["cov"])), p)
    third = given["third"]
    if not isinstance(third, Rows):
        third = numeric("truth['third']", third)
        third = third.reshape((1,) * 3) if third.size == 1 == p else third
        if third.shape != (p, p, p):
            raise fail("truth['third'].shape", third.shape, f"({p}, {p}, {p}), the third central moments")
    mean = None
    if "mean" in given:
        mean = np.atleast_1d(numeric("truth['mean']", given["mean"]))
        if mean.shape != (p,):
            raise fail("truth['mean'].shape", mean.shape, f"({p},), the mean of the statistic of {family.name}")
    return _truth(mean, cov, third, "moments", None, given.get("fourth"))


def _from_mapping(family: ExponentialFamily, truth: Mapping[Any, Any]) -> Truth:
    if not truth:
        raise fail("truth", "an empty mapping", "at least one value with its probability")
    chances = distribution("truth", list(truth.values()), len(truth))
    rows = family.statistic(np.array(list(truth)))
    if rows.shape[0] != len(truth):
        raise fail("the number of values of truth", rows.shape[0], f"{len(truth)}, one a probability; tuples for rows")
    return from_weights(rows, chances, "pmf")
