"""The projection of a sample and the plug-in contractions there: what criterion, bootstrap and penalties share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import fail, integer, numeric
from asymptopia.theory.projection.contractions import Contractions, Rows
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.protocol import ExponentialFamily, check_family
from asymptopia.theory.projection.whitening import whiten

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.sampled import SampledContractions

Array = NDArray[np.float64]

LEAST_ROWS = 3
"""The unbiased third cumulant divides by n - 2."""


class Sample(NamedTuple):
    """Values of the statistic."""

    rows: Array
    """Shape (N, p); the distinct ones where the family is discrete."""
    counts: Array
    """How often each occurs, shape (N,)."""
    observations: NDArray[np.intp] | None = None
    """Number of the first observation of each, shape (N,); None where each row is an observation."""

    @property
    def n(self) -> int:
        """Number of observations."""
        return int(self.counts.sum())


class PlugIn(NamedTuple):
    """Estimates of what the series needs."""

    theta: Array
    contractions: Contractions | None
    """None to first order."""
    first: float
    """Coefficient of 1/n of the risk."""
    second: float
    """Coefficient of 1/n**2."""
    mc_error: float = 0.0
    """Monte Carlo error of the risk at n; 0 where the moments are computed."""


class Reading(NamedTuple):
    """A sample in the units in which it is worked with, and the way back."""

    family: ExponentialFamily
    sample: Sample
    back: Callable[[Array], Array]
    """From the natural parameter in these units to that of the data given."""


def read(data: Any, family: ExponentialFamily) -> Reading:
    """Return the values of the family's statistic on the data, in units in which their moments keep their digits.

    Raises
    ------
    TypeError, ValueError
        If the data are not numbers, hold NaN or infinity, do not belong to the family's support, or are fewer than 3.
    MLEDoesNotExistError
        If the data of a family with a location do not vary.
    """
    check_family(family)
    # observations of a sampled family are whatever its statistic takes
    values: Any = data
    if not is_sampled(family) and np.asarray(data).dtype.kind not in "OSU":
        values = numeric("data", data, min_ndim=1)
    try:
        units = family.standardised(values)
    except MLEDoesNotExistError as error:
        raise without_projection(error) from error
    family, values = units.family, units.data
    if family.discrete and hasattr(family, "state_index"):
        # numbers of states are sorted faster than rows of p statistics
        index = family.state_index(values)
        _, first, counts = np.unique(index, return_index=True, return_counts=True)
        rows = family.statistic(np.asarray(values)[first] if index.size > 1 else values)
    else:
        rows, first, counts = numeric("family.statistic(data)", family.statistic(values), min_ndim=2), None, None
        if family.discrete:
            distinct = np.unique(rows[:, 0] if family.dim == 1 else rows, axis=0, return_index=True, return_counts=True)
            rows, first, counts = distinct[0].reshape(-1, family.dim), *distinct[1:]
    sample = Sample(rows, np.ones(rows.shape[0]) if counts is None else counts.astype(np.float64), first)
    if sample.n < LEAST_ROWS:
        raise fail("the number of observations", sample.n, f"at least {LEAST_ROWS}, for a third cumulant")
    return Reading(family, sample, units.back)


def plug_in(family: ExponentialFamily, sample: Sample, *, order: int = 2, bias_correct: bool = True) -> PlugIn:
    """Return the projection of a sample and the coefficients of its risk; the second is 0 to first order.

    Notes
    -----
    The covariance is the unbiased one (ddof 1): with ddof 0 the leading term would carry another bias of ``-t0 / n``,
    of the order of the second term.
    """
    if family.dim == 0:
        return PlugIn(np.empty(0), Contractions(*[0.0] * 8), 0.0, 0.0)
    n = sample.n
    weights = sample.counts / n
    mean, rows = centred(sample)
    theta = solve(family, mean)
    with np.errstate(over="ignore", invalid="ignore"):
        cov = (rows * weights[:, None]).T @ rows * (n / (n - 1))
    if not np.isfinite(cov).all():
        raise fail("the covariance of the statistic", "beyond float64", "data of fewer orders of magnitude")
    if order == 1 and not is_sampled(family):
        return PlugIn(theta, None, 0.5 * float(whiten(family.cov(theta), cov).spread.sum()), 0.0)
    third = Rows(rows, weights, n * n / ((n - 1) * (n - 2)))

    def second(at: Contractions) -> float:
        return 0.0 if order == 1 else second_coefficient(at, bias_correct=bias_correct)

    if not is_sampled(family):
        found = family.contractions(theta, truth_cov=cov, truth_third=third)
        return PlugIn(theta, found, 0.5 * found.t0, second(found))
    drawn: SampledContractions = family.contractions_with_error(theta, truth_cov=cov, truth_third=third)  # type: ignore[attr-defined]
    found = drawn.value
    error = math.hypot(
        drawn.error_of(lambda at: 0.5 * at.t0 / n + second(at) / n**2), first_error_of_fit(family, theta, found) / n
    )
    return PlugIn(theta, found if order > 1 else None, 0.5 * found.t0, second(found), error)


def first_error_of_fit(family: Any, theta: Array, found: Contractions) -> float:
    r"""Return what the Monte Carlo error of a fitted theta makes of the error of the first coefficient, t0/2.

    Notes
    -----
    :math:`\partial_k t_0 = -v_k` with :math:`v_k = T_{ijk}W^{ij}`, so that an error of theta with the covariance
    :math:`\epsilon G^{-1}` gives t0 the variance :math:`\epsilon t_{21}`; epsilon is `fit_noise` over p. The effect
    on the second coefficient is of the order 1/n less and left out.
    """
    return 0.5 * math.sqrt(max(found.t21, 0.0) * family.fit_noise(theta) / family.dim)


def second_coefficient(found: Contractions, *, bias_correct: bool) -> float:
    """Return the coefficient of 1/n**2 of the risk.

    Notes
    -----
    The plug-in first term has the mean ``(t0 + (A3 + A4 / 2) / n) / (2 n)``: its bias is of the order of the second
    term, ``(A3 / 3 + 3 A4 / 8) / n**2``. Corrected, ``-A3 / 6 + A4 / 8`` is left.
    """
    a3, a4 = found.A3, found.A4
    return -a3 / 6.0 + a4 / 8.0 if bias_correct else a3 / 3.0 + 0.375 * a4


def series(found: PlugIn, n: int, *, bias_correct: bool) -> tuple[float, float]:
    """Return the coefficients of 1/m and 1/m**2 of the risk at another size m, estimated from n observations.

    Notes
    -----
    The bias of the first coefficient is of the n observations that it comes from: it goes with 1/(n m), not 1/m**2.
    """
    at = found.contractions
    if at is None or not bias_correct:
        return found.first, found.second
    return found.first - (0.5 * at.A3 + 0.25 * at.A4) / n, second_coefficient(at, bias_correct=False)


def leverages(family: ExponentialFamily, theta: Array, sample: Sample) -> Array:
    """Return what each row adds to (n - 1) t0, shape (N,): its squared norm in the metric G^-1."""
    change = whiten(family.cov(theta))
    whitened = centred(sample)[1] @ change.matrix.T
    return np.asarray(np.einsum("ij,ij->i", whitened, whitened))


def centred(sample: Sample) -> tuple[Array, Array]:
    """Return the mean of the statistic and the rows less it; columns that do not vary are 0 exactly."""
    weights = sample.counts / sample.n
    mean = weights @ sample.rows
    rows = sample.rows - mean
    # weights do not sum to 1 in float64: the second pass takes off what that left
    rest = weights @ rows
    rows -= rest
    flat = sample.rows.min(axis=0, initial=np.inf) == sample.rows.max(axis=0, initial=-np.inf)
    rows[:, flat] = 0.0
    return np.where(flat, sample.rows[0], mean + rest), rows


def order_of(order: Any) -> int:
    """Return the order of the series, 1 or 2."""
    return integer("order", order, 1, 2)


def solve(family: ExponentialFamily, mean: Array) -> Array:
    """Return the maximum likelihood estimate, or say what follows where there is none."""
    try:
        return np.asarray(family.mle(mean), dtype=np.float64)
    except MLEDoesNotExistError as error:
        raise without_projection(error) from error


def without_projection(error: MLEDoesNotExistError) -> MLEDoesNotExistError:
    """Return the error in the words of those who gave data."""
    return MLEDoesNotExistError(
        f"{str(error).rstrip('. ')}. There is no information projection of these data, and so no risk to estimate."
    )


def flag(name: str, value: Any) -> bool:
    """Return a truth value; words and numbers are refused."""
    if not isinstance(value, bool | np.bool_):
        message = f"{name} is {value!r} of type {type(value).__name__}; expected True or False"
        raise TypeError(message)
    return bool(value)


def is_sampled(family: ExponentialFamily) -> bool:
    """Return True if the family's moments come from draws."""
    return hasattr(family, "contractions_with_error")
