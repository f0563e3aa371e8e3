"""Information criteria with a second-order penalty: Takeuchi's, and Akaike's for a model that holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.validation import integer, real
from asymptopia.theory.projection.contractions import Contractions
from asymptopia.theory.projection.criterion_result import PNCriterion
from asymptopia.theory.projection.families.protocol import check_family
from asymptopia.theory.projection.likelihood import log_likelihood
from asymptopia.theory.projection.plugin import flag, is_sampled, plug_in, read
from asymptopia.theory.projection.status import LARGE_SECOND, ProjectionStatus

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TakeuchiPenalty(Result):
    """Optimism of the mean log likelihood of one's own sample, and the criterion it makes; nats."""

    title: ClassVar[str] = "Takeuchi's information criterion, second order"

    status: ProjectionStatus
    value: float | None
    """-2 log likelihood + 2 n `penalty`; smaller is better. None without a likelihood: a sampled family has no
    normaliser."""
    penalty: float
    """In-sample less out-of-sample mean log likelihood, an observation: `first` + `second`."""
    first: float
    """t0 / n."""
    second: float
    """The n**-2 term."""
    loglik: float | None
    """Maximum of the log likelihood, with respect to Lebesgue or counting measure."""
    t0: float
    p: int
    n: int
    bias_correct: bool
    family: str

    @property
    def tic(self) -> float | None:
        """-2 log likelihood + 2 t0, the first-order criterion."""
        return None if self.loglik is None else -2.0 * self.loglik + 2.0 * self.t0

    @property
    def aic(self) -> float | None:
        """-2 log likelihood + 2 p."""
        return None if self.loglik is None else -2.0 * self.loglik + 2.0 * self.p

    def _lines(self) -> Iterator[tuple[str, str]]:
        how = "bias of the first taken off" if self.bias_correct else "plug-in"
        terms = f"{format_number(self.first)} + {format_number(self.second)}".replace("+ -", "- ")
        yield "penalty", f"{terms} = {format_number(self.penalty)} nats an observation ({how})"
        for name, value in (("second-order tic", self.value), ("tic", self.tic), ("aic", self.aic)):
            yield name, "none: no normaliser" if value is None else format_number(value, 10)
        if self.loglik is not None:
            yield "log likelihood", format_number(self.loglik, 10)
        yield "t0", f"{format_number(self.t0)} (p if the model held)"
        yield "model", f"{self.family}, p = {self.p}, n = {self.n}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SecondOrderAIC(Result):
    """Akaike's criterion with the term of order 1/n of its penalty, for a model that holds."""

    title: ClassVar[str] = "Akaike's information criterion, second order"

    status: ProjectionStatus
    value: float
    """-2 log likelihood + `penalty`; smaller is better."""
    penalty: float
    """`first` + `second`: 2 n times the optimism of an observation."""
    first: float
    """2 p."""
    second: float
    """(F + B - K) / n."""
    loglik: float
    p: int
    n: int
    rho23_sq: float
    """F, the squared norm of the standardised third cumulants."""
    rho13_sq: float
    """B, the squared norm of their trace."""
    rho4: float
    """K, the trace of the standardised fourth cumulants."""
    family: str

    @property
    def aic(self) -> float:
        """-2 log likelihood + 2 p."""
        return -2.0 * self.loglik + self.first

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "aic2", format_number(self.value, 10)
        yield "aic", format_number(self.aic, 10)
        yield "penalty", f"{format_number(self.first)} + {format_number(self.second)}"
        yield "model", f"{self.family}, p = {self.p}, n = {self.n}"
        yield "F, B, K", ", ".join(format_number(value) for value in (self.rho23_sq, self.rho13_sq, self.rho4))


def takeuchi_penalty(
    data: Any, family: ExponentialFamily, *, bias_correct: bool = True, loglik: float | None = None
) -> TakeuchiPenalty:
    r"""Return the optimism of a fitted exponential family, right or misspecified, and Takeuchi's criterion.

    Parameters
    ----------
    data : array_like
        Observations, as `pn_criterion`.
    family : ExponentialFamily
        The model.
    bias_correct : bool
        Take the bias of the plug-in first term off the second.
    loglik : float, optional
        Maximum of the log likelihood where it is known, nats; computed if None.

    Returns
    -------
    TakeuchiPenalty
        Status SMALL_SAMPLE if the second term exceeds 0.3 of the first.

    Raises
    ------
    TypeError, ValueError, MLEDoesNotExistError, NotMinimalError
        As `pn_criterion`.

    Notes
    -----
    *Statement*: in-sample less out-of-sample mean log likelihood of the maximum likelihood estimate has the mean

    .. math:: \frac{t_0}{n} + \frac{A_3 + A_4}{2 n^2} + O(n^{-3}).

    The plug-in :math:`\hat t_0` has the bias :math:`(A_3 + A_4/2)/n`; with it taken off,

    .. math:: \frac{\hat t_0}{n} + \frac{t_1}{2 n^2}

    is unbiased to :math:`O(n^{-3})`: all terms of fourth order cancel.

    *Assumptions*: independent observations, six moments of the statistic.

    The likelihood is with respect to Lebesgue measure or counts, so that families of the same data can be compared.

    References
    ----------
    .. [1] K. Takeuchi, "Distribution of information statistics and criteria for adequacy of models", Suri-Kagaku 153,
       1976, 12-18 (first order; the second is derived here).

    Examples
    --------
    >>> from asymptopia.theory.projection.families import Exponential
    >>> x = np.random.default_rng(0).gamma(4.0, size=100)
    >>> found = takeuchi_penalty(x, Exponential())
    >>> round(100 * found.first, 2), bool(found.t0 < found.p)
    (0.23, True)
    """
    correct = flag("bias_correct", bias_correct)
    reading = read(data, family)
    n = reading.sample.n
    found = plug_in(reading.family, reading.sample)
    if found.contractions is None:  # pragma: no cover - the order is 2
        raise AssertionError
    value = real("loglik", loglik, closed="neither") if loglik is not None else None
    if value is None and not is_sampled(family):
        value = log_likelihood(family, reading.back(found.theta), data)
    return _penalty(family, n, found.contractions, value, bias_correct=correct)


def penalty_at(criterion: PNCriterion, family: ExponentialFamily, data: ArrayLike) -> TakeuchiPenalty:
    """Return the penalty at the estimate of a criterion; to first order where that was of first order."""
    value = log_likelihood(family, criterion.theta_star, data)
    if criterion.contractions is not None:
        return _penalty(family, criterion.n, criterion.contractions, value, bias_correct=criterion.bias_correct)
    nothing = Contractions(criterion.t0, *[0.0] * 7)
    return _penalty(family, criterion.n, nothing, value, bias_correct=criterion.bias_correct)


def _penalty(
    family: ExponentialFamily, n: int, found: Contractions, loglik: float | None, *, bias_correct: bool
) -> TakeuchiPenalty:
    first = found.t0 / n
    second = (-0.5 * found.A3 if bias_correct else 0.5 * (found.A3 + found.A4)) / n**2
    small = abs(second) > LARGE_SECOND * first
    return TakeuchiPenalty(
        status=ProjectionStatus.SMALL_SAMPLE if small else ProjectionStatus.OK,
        value=None if loglik is None else -2.0 * loglik + 2.0 * n * (first + second),
        penalty=first + second,
        first=first,
        second=second,
        loglik=loglik,
        t0=found.t0,
        p=family.dim,
        n=n,
        bias_correct=bias_correct,
        family=family.name,
    )


def second_order_aic(
    loglik: float, family: ExponentialFamily, theta: ArrayLike | None = None, *, n: int
) -> SecondOrderAIC:
    r"""Return Akaike's criterion with a second-order penalty, for a model that is taken to hold.

    Parameters
    ----------
    loglik : float
        Maximum of the log likelihood, nats.
    family : ExponentialFamily
        The model.
    theta : array_like, shape (p,), optional
        The estimate, natural parameter. It may be left out where the invariants do not depend on it: normal laws,
        exponential, gamma of known shape.
    n : int
        Number of observations.

    Returns
    -------
    SecondOrderAIC
        Status SMALL_SAMPLE if the second term exceeds 0.3 of the first.

    Raises
    ------
    TypeError
        If `family` is no exponential family, or `theta` is missing where it is needed.
    ValueError
        If an argument is out of range.

    Notes
    -----
    *Statement*: the optimism of an observation is :math:`p/n + (F + B - K)/(2 n^2) + O(n^{-3})`, with the squared norms
    F and B of the model's standardised third cumulants and of their trace, and the trace K of the fourth; 2 n times
    that is the penalty

    .. math:: 2p + \frac{F + B - K}{n}.

    A multivariate normal law of dimension d has :math:`F + B - K = 2p(d + 2)`, the expansion of its exact
    :math:`2np/(n - d - 2)`; for d = 1 that is the penalty of AICc. For other families AICc, which is of the normal law,
    differs: Poisson has :math:`1/(n\lambda)`.

    *Assumption*: the model holds; else use `takeuchi_penalty`.

    References
    ----------
    .. [1] C. M. Hurvich, C.-L. Tsai, "Regression and time series model selection in small samples", Biometrika 76,
       1989, 297-307 (AICc; the general second order is derived here).

    Examples
    --------
    >>> from asymptopia.theory.projection.families import Normal
    >>> found = second_order_aic(-70.0, Normal(), n=50)
    >>> found.aic, round(found.value, 10)
    (144.0, 144.24)
    """
    check_family(family)
    value = real("loglik", loglik, closed="neither")
    size = integer("n", n, 1)
    found = family.contractions(_anywhere(family) if theta is None else family.check_theta(theta))
    first, second = 2.0 * family.dim, (found.F + found.B - found.K) / size
    return SecondOrderAIC(
        status=ProjectionStatus.SMALL_SAMPLE if abs(second) > LARGE_SECOND * first else ProjectionStatus.OK,
        value=-2.0 * value + first + second,
        penalty=first + second,
        first=first,
        second=second,
        loglik=value,
        p=family.dim,
        n=size,
        rho23_sq=found.F,
        rho13_sq=found.B,
        rho4=found.K,
        family=family.name,
    )


def _anywhere(family: ExponentialFamily) -> Array:
    """Return a parameter of a family whose invariants are the same at every one."""
    if family.name == "Normal":
        return family.natural(0.0, 1.0)
    if family.name == "MultivariateNormal":
        d = family.d  # type: ignore[attr-defined]
        mean = {} if family.dim < d * (d + 3) // 2 else {"mean": np.zeros(d)}
        return family.natural(**mean, cov=np.eye(d))
    if family.name == "Exponential" or (family.name == "Gamma" and family.dim == 1):
        return family.natural(rate=1.0)
    message = f"theta is missing: the penalty of {family.name} depends on it; give the estimate, family.mle(mean)"
    raise TypeError(message)
