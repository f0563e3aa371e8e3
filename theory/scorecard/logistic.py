"""Logistic regression on Weight of Evidence in closed form, and the points of a scorecard."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.special import log_ratio
from asymptopia.theory._core.status import Status
from asymptopia.theory._core.validation import choice, integer, real, same_shape
from asymptopia.theory.scorecard.shares import Array, check_smoothing, two_samples, whole_counts
from asymptopia.theory.scorecard.woe import SIGNS, WoETable


class RegressionStatus(Status):
    """Validity of a regression on WoE, from the least to the most severe limit."""

    OK = "The regression has one finite maximum."
    CONSTANT = "The WoE is 0 in every bin: no slope can be estimated."
    ZERO_CELL = (
        "A bin is empty in one sample only: its WoE is infinite and the regression has no finite maximum; give "
        "smoothing=0.5 or merge the bin."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WoERegression(Result):
    """Logistic regression of the event (bad) on one WoE-coded variable.

    Attributes
    ----------
    slope : float
        1 for the sign "bad/good", -1 for "good/bad"; NaN where it cannot be estimated.
    slope_se : float
        From the information matrix; it takes the WoE for known.
    intercept, intercept_se : float
        ``log(bads / goods)`` and its standard error.
    correlation : float
        Of the two estimates.
    log_likelihood, null_log_likelihood : float
        At the maximum, and with an intercept only.
    woe : ndarray
        The regressor by bin; NaN in a bin that is empty in both samples.
    event_rate : ndarray
        The fitted probability by bin: the event rate.
    good, bad : ndarray
        The counts.
    sign : str
        As given to `woe_regression`.
    smoothing : float
        Pseudo-count a bin.
    """

    title: ClassVar[str] = "Logistic regression on WoE"

    slope: float
    slope_se: float
    intercept: float
    intercept_se: float
    correlation: float
    log_likelihood: float
    null_log_likelihood: float
    woe: Array
    event_rate: Array
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    sign: str
    smoothing: float

    def __post_init__(self) -> None:
        _freeze(self)

    @property
    def cov(self) -> Array:
        """Covariance of intercept and slope, shape (2, 2)."""
        errors = np.array([self.intercept_se, self.slope_se])
        scaled = np.outer(errors, errors)
        scaled[0, 1] = scaled[1, 0] = scaled[0, 1] * self.correlation
        return scaled

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "slope", f"{format_number(self.slope)}  SE {format_number(self.slope_se)}"
        yield "intercept", f"{format_number(self.intercept)}  SE {format_number(self.intercept_se)}"
        yield "log-likelihood", f"{format_number(self.log_likelihood, 8)} (null {self.null_log_likelihood:.8g})"
        yield "sign", self.sign
        yield "note", "The slope is 1 by construction; its SE takes the WoE for known."

    def _columns(self) -> Mapping[str, Any]:
        return {
            "bin": np.arange(self.woe.size),
            "good": self.good,
            "bad": self.bad,
            "woe": self.woe,
            "event_rate": self.event_rate,
        }


def woe_regression(good: ArrayLike, bad: ArrayLike, *, sign: str = "bad/good", smoothing: float = 0) -> WoERegression:
    r"""Return the logistic regression of the event on the WoE of its bins, without iteration.

    Parameters
    ----------
    good, bad : array_like
        Whole counts of goods and bads, one a bin, shape ``(bins,)``.
    sign : {"bad/good", "good/bad"}
        What the WoE divides by what. The event is bad, so that "good/bad" has the slope -1.
    smoothing : float
        Added to both counts of each bin that is not empty in both, as so many more observations.

    Returns
    -------
    WoERegression

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers from 0 to 2**53, a sample is empty, the shapes differ, or an option is
        unknown.

    Notes
    -----
    *Statement*: with :math:`w_i = \log(q_i/p_i)`, goods :math:`x_i` and bads :math:`y_i`, the likelihood of
    :math:`\mathrm{logit}\,P(\mathrm{bad}) = \alpha + \beta w_i` has its maximum at :math:`\beta = 1, \alpha =
    \log(m/n)`: there the fitted probability of bin i is :math:`y_i/(x_i+y_i)`, which makes every score equation 0. The
    information matrix has the weights :math:`v_i = x_i y_i/(x_i+y_i)`, so that

    .. math:: \mathrm{SE}(\beta) = \Big[\sum v_i (w_i - \bar w)^2\Big]^{-1/2}, \quad
              \bar w = \frac{\sum v_i w_i}{\sum v_i}, \quad
              \mathrm{Var}(\alpha) = \frac1{\sum v_i} + \bar w^2\, \mathrm{SE}(\beta)^2 .

    A regression on indicators of the bins has the same fit: its coefficients differ by :math:`w_i - w_j`.

    *Validity*: the slope is 1 whatever the truth, because the WoE comes from the same counts. Its standard error
    describes other data coded with this WoE, and not the sampling of the WoE itself. On such data the slope is
    expected below 1.

    References
    ----------
    .. [1] N. Siddiqi, "Credit Risk Scorecards", Wiley, 2006, chapter 6.
    .. [2] A. Agresti, "Categorical Data Analysis", 3rd ed., Wiley, 2013, chapter 5.

    Examples
    --------
    >>> fit = woe_regression([139, 49, 164, 348], [135, 14, 105, 46])
    >>> fit.slope, round(fit.intercept, 6), round(fit.slope_se, 6)
    (1.0, -0.847298, 0.095598)
    """
    x, y = whole_counts("good", good), whole_counts("bad", bad)
    same_shape("good", x, "bad", y)
    choice("sign", sign, SIGNS)
    a = check_smoothing(smoothing)
    used = x + y > 0
    goods, bads = x[used] + a, y[used] + a
    n, m = float(goods.sum()), float(bads.sum())
    p, q, d = two_samples(x[used], y[used], a)
    woe = log_ratio(q, p, -d)
    weights = goods * bads / (goods + bads)
    zero_cell = bool(((goods == 0) | (bads == 0)).any())
    constant = not zero_cell and bool((d == 0).all())
    slope_se = intercept_se = correlation = math.nan
    if constant:
        intercept_se = math.sqrt(1 / n + 1 / m)
    elif not zero_cell:
        mean = float((weights * woe).sum() / weights.sum())
        slope_se = float((weights * (woe - mean) ** 2).sum()) ** -0.5
        intercept_se = math.hypot(float(weights.sum()) ** -0.5, mean * slope_se)
        correlation = -mean * slope_se / intercept_se
    direction = 1.0 if sign == "bad/good" else -1.0
    regressor, rate = np.full(x.size, np.nan), np.full(x.size, np.nan)
    regressor[used], rate[used] = direction * woe, bads / (goods + bads)
    status = RegressionStatus.ZERO_CELL if zero_cell else RegressionStatus.CONSTANT if constant else RegressionStatus.OK
    return WoERegression(
        status=status,
        slope=direction if status.ok else math.nan,
        slope_se=slope_se,
        intercept=math.nan if zero_cell else math.log(m) - math.log(n),
        intercept_se=intercept_se,
        correlation=direction * correlation,
        log_likelihood=float(_entropy(goods, bads).sum()),
        null_log_likelihood=float(_entropy(n, m)),
        woe=regressor,
        event_rate=rate,
        good=x.astype(np.int64),
        bad=y.astype(np.int64),
        sign=sign,
        smoothing=a,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScorecardPoints(Result):
    """Points of the bins of one variable.

    Attributes
    ----------
    points, points_se : ndarray
        Points and their standard errors, one a bin. The error is that of the WoE; it takes the model for known.
    woe : ndarray
        Weight of Evidence as the table gives it.
    factor, offset : float
        ``score = offset + factor log(odds of good)``.
    coef, intercept : float
        As given to `scorecard_points`.
    variables : int
        Number of variables that share intercept and offset.
    """

    title: ClassVar[str] = "Scorecard points"

    points: Array
    points_se: Array
    woe: Array
    factor: float
    offset: float
    coef: float
    intercept: float
    variables: int

    def __post_init__(self) -> None:
        _freeze(self)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "factor", format_number(self.factor)
        yield "offset", format_number(self.offset)
        for i, (value, se) in enumerate(zip(self.points, self.points_se, strict=True)):
            yield f"bin {i}", f"{value:.1f}  SE {se:.1f}"

    def _columns(self) -> Mapping[str, Any]:
        return {
            "bin": np.arange(self.points.size),
            "woe": self.woe,
            "points": self.points,
            "points_se": self.points_se,
        }


def scorecard_points(
    table: WoETable,
    coef: float,
    intercept: float = 0.0,
    *,
    variables: int = 1,
    pdo: float = 20,
    base_score: float = 600,
    base_odds: float = 50,
) -> ScorecardPoints:
    r"""Return the points of the bins of one variable, scaled as usual.

    Parameters
    ----------
    table : WoETable
        Weight of Evidence of the bins, of kind "woe".
    coef, intercept : float
        Of a logistic regression of the event (bad) on the WoE of all variables, in the sign of `table`.
    variables : int
        Number of variables of the model, which share intercept and offset equally.
    pdo : float
        Points that double the odds, > 0.
    base_score, base_odds : float
        The score that stands for the odds `base_odds` : 1 of good to bad.

    Returns
    -------
    ScorecardPoints

    Raises
    ------
    TypeError, ValueError
        If `table` is no WoE table of kind "woe", or a number lies outside.

    Notes
    -----
    .. math:: F = \mathrm{pdo}/\log 2, \quad O = \mathrm{base\ score} - F \log(\mathrm{base\ odds}), \quad
              \mathrm{points}_i = \frac{O - F \alpha}{k} - F \beta\, \mathrm{WoE}_i .

    The sum over the variables is :math:`O + F \log(\text{odds of good})`. The standard error is
    :math:`F |\beta|\, \mathrm{SE}(\mathrm{WoE}_i)`; those of two bins are correlated as in `table`.

    References
    ----------
    .. [1] N. Siddiqi, "Credit Risk Scorecards", Wiley, 2006, chapter 6 (scaling).

    Examples
    --------
    >>> from asymptopia.theory.scorecard import woe_table
    >>> table = woe_table([139, 49, 164, 348], [135, 14, 105, 46])
    >>> scorecard_points(table, coef=-1.0, intercept=-0.8473).points.round(1)
    array([488. , 523.3, 500. , 545.5])
    """
    if not hasattr(table, "woe_se"):
        message = f"table is of type {type(table).__name__}; expected the WoETable that woe_table returns"
        raise TypeError(message)
    choice("table.kind", table.kind, ("woe",))
    largest = float(np.finfo(float).max)
    coef, intercept = real("coef", coef, -largest, largest), real("intercept", intercept, -largest, largest)
    variables = integer("variables", variables, 1)
    factor = real("pdo", pdo, 0.0, largest, closed="right") / math.log(2)
    odds = real("base_odds", base_odds, 0.0, largest, closed="right")
    offset = real("base_score", base_score, -largest, largest) - factor * math.log(odds)
    return ScorecardPoints(
        status=table.status,
        points=(offset - factor * intercept) / variables - factor * coef * table.woe,
        points_se=factor * abs(coef) * table.woe_se,
        woe=table.woe.copy(),
        factor=factor,
        offset=offset,
        coef=coef,
        intercept=intercept,
        variables=variables,
    )


def _entropy(goods: Any, bads: Any) -> Any:
    """Return the largest binomial log-likelihood of counts."""
    from scipy.special import xlogy

    both = goods + bads
    return xlogy(goods, goods / both) + xlogy(bads, bads / both)


def _freeze(result: Result) -> None:
    for item in fields(result):
        value = getattr(result, item.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
