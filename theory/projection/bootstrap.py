"""Bootstrap of the p-n criterion: how far the estimated risk and its second coefficient are from certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.rng import RNG, seed_sequence
from asymptopia.theory._core.validation import integer, probability
from asymptopia.theory.projection.errors import MLEDoesNotExistError, NotMinimalError
from asymptopia.theory.projection.plugin import Sample, flag, is_sampled, order_of, plug_in, read
from asymptopia.theory.projection.status import ProjectionStatus

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]

LEAST_RESAMPLES = 20


class Interval(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CriterionBootstrap(Result):
    """Resamples of the two coefficients of the estimated risk, ``first / n + second / n**2`` nats.

    Without bias correction the second is the plug-in coefficient c2 of the series itself.
    """

    title: ClassVar[str] = "Bootstrap of the p-n criterion"

    status: ProjectionStatus
    family: str
    n: int
    p: int
    order: int
    bias_correct: bool
    level: float
    """Of the intervals."""
    first: float
    """n times the first term of the sample itself, t0 / 2."""
    second: float
    """n**2 times its second term."""
    first_draws: Array
    """Of the resamples in which the estimate exists."""
    second_draws: Array
    lost: int
    """Resamples without an estimate, left out of the draws."""

    def __post_init__(self) -> None:
        self.first_draws.setflags(write=False)
        self.second_draws.setflags(write=False)

    @property
    def repeats(self) -> int:
        """Resamples drawn."""
        return self.first_draws.size + self.lost

    @property
    def risk_draws(self) -> Array:
        """Risk of each resample, nats."""
        return np.asarray(self.first_draws / self.n + self.second_draws / float(self.n) ** 2)

    @property
    def first_se(self) -> float:
        """Standard error of the first coefficient."""
        return float(self.first_draws.std(ddof=1))

    @property
    def second_se(self) -> float:
        """Standard error of the second coefficient."""
        return float(self.second_draws.std(ddof=1))

    @property
    def risk_se(self) -> float:
        """Standard error of the risk, nats."""
        return float(self.risk_draws.std(ddof=1))

    @property
    def second_interval(self) -> Interval:
        """Percentile interval of the second coefficient."""
        return self._interval(self.second_draws)

    @property
    def risk_interval(self) -> Interval:
        """Percentile interval of the risk, nats."""
        return self._interval(self.risk_draws)

    def _interval(self, draws: Array) -> Interval:
        tail = 0.5 * (1.0 - self.level)
        low, high = np.quantile(draws, [tail, 1.0 - tail])
        return Interval(float(low), float(high))

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "model", f"{self.family}, p = {self.p}, n = {self.n}"
        yield "resamples", f"{self.repeats}" + (f", {self.lost} of them without an estimate" if self.lost else "")
        for name, value, error, (low, high) in (
            ("second", self.second, self.second_se, self.second_interval),
            ("risk", self.first / self.n + self.second / float(self.n) ** 2, self.risk_se, self.risk_interval),
        ):
            yield (
                name,
                f"{format_number(value)}, standard error {format_number(error, 3)}, {self.level:.0%} interval "
                f"[{format_number(low, 4)}, {format_number(high, 4)}]",
            )

    def _columns(self) -> Mapping[str, Any]:
        return {
            "first": self.first_draws.tolist(),
            "second": self.second_draws.tolist(),
            "risk": self.risk_draws.tolist(),
        }


def bootstrap_criterion(
    data: Any,
    family: ExponentialFamily,
    *,
    repeats: int = 200,
    order: int = 2,
    bias_correct: bool = True,
    level: float = 0.95,
    rng: RNG = None,
) -> CriterionBootstrap:
    r"""Return resamples of the estimated risk of the maximum likelihood estimator.

    Parameters
    ----------
    data, family, order, bias_correct
        As `pn_criterion`.
    repeats : int
        Resamples, at least 20.
    level : float
        Level of the percentile intervals, in (0, 1).
    rng : None, int, SeedSequence, BitGenerator or Generator
        The draws depend on it alone.

    Returns
    -------
    CriterionBootstrap
        Status CONDITIONAL if the estimate does not exist in some resamples.

    Raises
    ------
    TypeError, ValueError
        As `pn_criterion`; also for a family whose moments are sampled.
    MLEDoesNotExistError
        If the estimate exists neither for the data nor for two resamples.

    Notes
    -----
    Observations are drawn with replacement; each resample is a vector of counts for which projection, covariance and
    third cumulant are computed anew. Rows are not copied beyond those drawn, and equal rows of a discrete family are
    one row. A resample costs what the criterion costs.

    *Assumption*: independent observations whose statistic has six moments, without which neither the coefficient nor
    its standard error settles.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993, ch. 13.

    Examples
    --------
    >>> from asymptopia.theory.projection.families import Exponential
    >>> x = np.random.default_rng(0).exponential(size=400)
    >>> found = bootstrap_criterion(x, Exponential(), repeats=100, rng=1)
    >>> low, high = found.risk_interval
    >>> bool(low < 0.5 / 400 < high)
    True
    """
    found = read(data, family)
    if is_sampled(found.family):
        message = (
            f"family is {family.name}, whose moments are sampled, and each resample would solve for the projection "
            "anew; mc_error of pn_criterion says how certain these are"
        )
        raise ValueError(message)
    return resample(
        found.sample,
        found.family,
        repeats=repeats,
        order=order_of(order),
        bias_correct=flag("bias_correct", bias_correct),
        level=level,
        rng=rng,
    )


def resample(
    sample: Sample,
    family: ExponentialFamily,
    *,
    repeats: int,
    order: int,
    bias_correct: bool,
    level: float = 0.95,
    rng: RNG = None,
) -> CriterionBootstrap:
    """Return resamples of a sample that was read; arguments as `bootstrap_criterion`."""
    repeats = integer("repeats", repeats, LEAST_RESAMPLES)
    level = probability("level", level)
    own = plug_in(family, sample, order=order, bias_correct=bias_correct)
    n = sample.n
    found: list[tuple[float, float]] = []
    # a stream for each resample: the first hundred are the same whether more follow or not
    for child in seed_sequence(rng).spawn(repeats):
        counts = np.random.default_rng(child).multinomial(n, sample.counts / n)
        kept = counts > 0
        try:
            one = plug_in(
                family,
                Sample(sample.rows[kept], counts[kept].astype(np.float64)),
                order=order,
                bias_correct=bias_correct,
            )
        except (MLEDoesNotExistError, NotMinimalError):
            continue
        found.append((one.first, one.second))
    if len(found) < 2:
        message = (
            f"the estimate exists in {len(found)} of {repeats} resamples of n = {n}: there are too few observations to "
            "tell the error of the criterion; use bootstrap=0"
        )
        raise MLEDoesNotExistError(message)
    draws = np.array(found)
    lost = repeats - len(found)
    return CriterionBootstrap(
        status=ProjectionStatus.CONDITIONAL if lost else ProjectionStatus.OK,
        family=family.name,
        n=n,
        p=family.dim,
        order=order,
        bias_correct=bias_correct,
        level=level,
        first=own.first,
        second=own.second,
        first_draws=np.ascontiguousarray(draws[:, 0]),
        second_draws=np.ascontiguousarray(draws[:, 1]),
        lost=lost,
    )
