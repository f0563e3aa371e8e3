"""Screen many binned features in one pass: information values, intervals, adjusted tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.validation import choice, counts, numeric, probability, real
from asymptopia.theory.scorecard.adjustment import ADJUSTMENTS, adjust_pvalues
from asymptopia.theory.scorecard.batch import Array, describe_tables
from asymptopia.theory.scorecard.counting import count_table
from asymptopia.theory.scorecard.data import ScreenStatus
from asymptopia.theory.scorecard.fast import Intervals
from asymptopia.theory.scorecard.hypotheses import format_pvalue
from asymptopia.theory.scorecard.inference import information_value
from asymptopia.theory.scorecard.laws import noncentral_chi2_tails
from asymptopia.theory.scorecard.results import IVResult
from asymptopia.theory.scorecard.shares import check_smoothing, refuse_fractions
from asymptopia.theory.scorecard.status import ScorecardStatus

_MOST_BINS = 2**16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScreenResult(Result):
    """Information values of many binned features, with p-values adjusted for looking at all of them.

    Attributes
    ----------
    names : tuple of str
        The features.
    table : ndarray of int64, shape (features, bins, 2)
        Counts of goods and bads.
    estimate, estimate_smoothed, bias, se, statistic, dof, pvalue, log_pvalue, n_eff : ndarray, shape (features,)
        As in `JeffreysResult`. The p-value is that of ``IV = 0``.
    ci : Intervals
        Ends ``low`` and ``high`` of the SNC intervals at `level`; NaN where `dof` is 0.
    contributions, woe, woe_se : ndarray, shape (features, bins)
        As in `JeffreysResult`.
    margin : float or None
        The divergence beyond which a feature matters, in nats.
    margin_pvalue : ndarray or None
        Of the test of ``IV <= margin`` under the SNC law.
    adjustment : str
        How `adjusted` was made, ``"none"`` for not at all.
    adjusted : ndarray
        Adjusted p-values, of `margin_pvalue` if there is a margin, else of `pvalue`.
    alpha, level, smoothing : float
        As given.
    statuses : tuple of ScorecardStatus
        The most severe limit of validity of each feature.
    """

    title: ClassVar[str] = "Screen of features"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_screen"
    quantity: ClassVar[str] = "IV"

    names: tuple[str, ...]
    table: NDArray[np.int64]
    estimate: Array
    estimate_smoothed: Array
    bias: Array
    se: Array
    ci: Intervals
    statistic: Array
    dof: NDArray[np.int64]
    pvalue: Array
    log_pvalue: Array
    n_eff: Array
    contributions: Array
    woe: Array
    woe_se: Array
    margin: float | None
    margin_pvalue: Array | None
    adjustment: str
    adjusted: Array
    alpha: float
    level: float
    smoothing: float
    statuses: tuple[ScorecardStatus, ...]

    def __post_init__(self) -> None:
        for value in [*(getattr(self, item.name) for item in fields(self)), *self.ci]:
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def selected(self) -> NDArray[np.bool_]:
        """Where the adjusted p-value is at most `alpha`."""
        return np.asarray(self.adjusted <= self.alpha)

    @property
    def features(self) -> tuple[str, ...]:
        """The names."""
        return self.names

    @property
    def results(self) -> tuple[IVResult, ...]:
        """The full result of every feature, made anew from the counts."""
        return tuple(self[i] for i in range(len(self.names)))

    def __getitem__(self, feature: str | int) -> IVResult:
        """Return the full result of one feature, by name or position, made anew from its counts.

        Raises
        ------
        KeyError
            If there is no such name; the message lists those that are.
        """
        if isinstance(feature, str):
            if feature not in self.names:
                message = f"no feature {feature!r}; there are {', '.join(map(repr, self.names))}"
                raise KeyError(message)
            feature = self.names.index(feature)
        good, bad = self.table[feature].T
        return information_value(good, bad, smoothing=self.smoothing)

    def order(self) -> list[int]:
        """Return the positions of the features, largest smoothed estimate first."""
        return [int(i) for i in np.argsort(-self.estimate_smoothed, kind="stable")]

    def _lines(self) -> Iterator[tuple[str, str]]:
        tested = "IV = 0" if self.margin is None else f"IV <= {format_number(self.margin)}"
        yield "selected", f"{int(self.selected.sum())} of {len(self.names)}"
        yield "rule", f"{tested} rejected at {format_number(self.alpha)}, adjustment {self.adjustment}"
        for i in self.order():
            low, high = (format_number(float(end[i]), 4) for end in self.ci)
            yield (
                self.names[i] + (" *" if self.selected[i] else ""),
                f"IV {format_number(float(self.estimate[i]), 4)}  {100 * self.level:g} % [{low}, {high}]  "
                f"p {format_pvalue(float(self.log_pvalue[i]))}  adjusted {format_number(float(self.adjusted[i]), 3)}"
                + ("" if self.statuses[i].ok else f"  {self.statuses[i].name}"),
            )

    def _columns(self) -> Mapping[str, Any]:
        order = self.order()
        columns = {
            "feature": [self.names[i] for i in order],
            "bins": self.dof[order] + 1,
            "estimate": self.estimate[order],
            "estimate_smoothed": self.estimate_smoothed[order],
            "bias": self.bias[order],
            "se": self.se[order],
            "ci_low": self.ci.low[order],
            "ci_high": self.ci.high[order],
            "statistic": self.statistic[order],
            "dof": self.dof[order],
            "pvalue": self.pvalue[order],
        }
        if self.margin_pvalue is not None:
            columns["margin_pvalue"] = self.margin_pvalue[order]
        columns["pvalue_adjusted"] = self.adjusted[order]
        columns["selected"] = self.selected[order]
        return columns | {"status": [self.statuses[i].name for i in order]}


def iv_screen(
    codes: ArrayLike,
    y: ArrayLike,
    *,
    alpha: float = 0.05,
    adjust: str | None = "holm",
    bins: int | None = None,
    names: Sequence[str] | None = None,
    level: float = 0.95,
    smoothing: float = 0,
    margin: float | None = None,
) -> ScreenResult:
    r"""Return the information value of every coded feature with intervals and adjusted tests.

    Parameters
    ----------
    codes : array_like of int, shape (rows, features)
        Bin of each row and feature, from 0; negative codes are missing and make a bin of their own, the last.
    y : array_like of bool or int, shape (rows,)
        Outcome, 0 (good) or 1 (bad), both present.
    alpha : float
        Level at which features are selected, in (0, 1).
    adjust : {"holm", "bonferroni", "bh", "by"} or None
        Adjustment of the p-values for the number of features, see `adjust_pvalues`.
    bins : int, optional
        Number of bins, that for missing codes included, as in `count_table`. By default the largest code plus 1, and
        one more if any code is negative.
    names : sequence of str, optional
        Names of the features, all different; x0, x1, ... if left out.
    level : float
        Level of the intervals, in (0, 1).
    smoothing : float
        Pseudo-count a bin of the estimator, as in `information_value`.
    margin : float, optional
        If given, > 0 in nats, a feature is selected by the test of ``IV <= margin`` instead of ``IV = 0``: in large
        samples every feature differs from 0.

    Returns
    -------
    ScreenResult

    Raises
    ------
    TypeError, ValueError
        As `count_table`; ValueError also for an argument out of its range.

    Notes
    -----
    *Assumptions*: as `information_value` for each feature; the bins were not chosen on these outcomes. The rows are
    read once, for the counts; all else is computed from them. Each number equals that of `information_value`.
    Holm's and Bonferroni's adjustments need no assumption on how the features depend on one another.

    References
    ----------
    .. [1] A. Sudjianto, D. Burakov, "An information-theoretic framework for credit risk modeling", arXiv:2509.09855,
       2025.
    .. [2] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
       Validation 14(4), 2020.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 2000)
    >>> codes = rng.integers(0, 5, (2000, 3))
    >>> codes[:, 1] = rng.binomial(4, 0.4 + 0.1 * y)
    >>> screen = iv_screen(codes, y, names=["a", "b", "c"])
    >>> screen.selected
    array([False,  True, False])
    >>> round(float(screen.estimate[1]), 4), screen["b"].bins
    (0.1976, 5)
    """
    array = np.asarray(codes)
    if bins is None and array.dtype.kind in "iu" and array.size:
        high = int(array.max())
        missing = array.dtype.kind == "i" and int(array.min()) < 0
        bins = max(high, -1) + 1 + missing
        if bins > _MOST_BINS:
            message = (
                f"codes reach {high}; expected positions of bins, from 0 and below {_MOST_BINS}: recode the levels, or "
                "give bins"
            )
            raise ValueError(message)
    table = count_table(array, y, 1 if bins is None else bins)
    return _screen(table, alpha, adjust, names, level, smoothing, margin)


def screen_table(
    table: ArrayLike,
    *,
    alpha: float = 0.05,
    adjust: str | None = "holm",
    names: Sequence[str] | None = None,
    level: float = 0.95,
    smoothing: float = 0,
    margin: float | None = None,
) -> ScreenResult:
    """Return what `iv_screen` does, from counts.

    Parameters
    ----------
    table : array_like, shape (features, bins, 2)
        Whole counts of goods and bads, as `count_table` returns them. Features with fewer bins have zeros in the rest:
        a bin that is empty in both samples counts nothing.
    alpha, adjust, names, level, smoothing, margin
        As in `iv_screen`.

    Returns
    -------
    ScreenResult

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers from 0 to 2**53, a feature lacks goods or bads, or an argument is out of its
        range.

    Examples
    --------
    >>> checking, sex = [[139, 135], [49, 14], [164, 105], [348, 46]], [[221, 89], [38, 12], [61, 31], [380, 168]]
    >>> screen = screen_table([checking, sex], names=["checking", "sex"])
    >>> screen.ci.low.round(4), screen.ci.high.round(4)
    (array([0.4493, 0.    ]), array([0.8946, 0.0362]))
    >>> screen.selected
    array([ True, False])
    """
    array = numeric("table", table)
    if array.ndim != 3 or array.shape[2] != 2 or array.size == 0:
        message = f"table has shape {array.shape}; expected (features, bins, 2): goods and bads along the last axis"
        raise ValueError(message)
    for i, name in enumerate(("goods", "bads")):
        counts(f"{name} of table", array[:, :, i])
    refuse_fractions("table", array)
    return _screen(array.astype(np.int64), alpha, adjust, names, level, smoothing, margin)


def _screen(
    table: NDArray[np.int64],
    alpha: float,
    adjust: str | None,
    names: Sequence[str] | None,
    level: float,
    smoothing: float,
    margin: float | None,
) -> ScreenResult:
    alpha, level, smoothing = probability("alpha", alpha), probability("level", level), check_smoothing(smoothing)
    if adjust is not None:
        choice("adjust", adjust, ADJUSTMENTS)
    if margin is not None:
        margin = real("margin", margin, 0.0, math.inf, closed="neither")
    found = describe_tables(table[:, :, 0], table[:, :, 1], smoothing=smoothing, level=level)
    pvalue = np.exp(found.log_pvalue)
    beyond = None
    if margin is not None:
        beyond = np.full(pvalue.size, np.nan)
        tested = found.dof > 0
        law = (item[tested] for item in (found.seen, found.nu, found.n_eff * margin / found.rho))
        beyond[tested] = np.exp(noncentral_chi2_tails(*law).sf)
    return ScreenResult(
        status=ScreenStatus.OK if all(item.ok for item in found.statuses) else ScreenStatus.CAVEATS,
        names=check_names(names, len(table), "feature", "x"),
        table=table,
        estimate=found.estimate,
        estimate_smoothed=found.estimate_smoothed,
        bias=found.bias,
        se=found.se,
        ci=Intervals(found.low, found.high),
        statistic=found.statistic,
        dof=found.dof,
        pvalue=pvalue,
        log_pvalue=found.log_pvalue,
        n_eff=found.n_eff,
        contributions=found.contributions,
        woe=found.woe,
        woe_se=found.woe_se,
        margin=margin,
        margin_pvalue=beyond,
        adjustment=adjust or "none",
        adjusted=adjust_pvalues(pvalue if beyond is None else beyond, adjust),
        alpha=alpha,
        level=level,
        smoothing=smoothing,
        statuses=found.statuses,
    )


def check_names(names: Sequence[str] | None, count: int, kind: str, prefix: str) -> tuple[str, ...]:
    """Return `count` different names, made of `prefix` and the position where `names` is None.

    Raises
    ------
    ValueError
        If there are too many or too few, or two are equal.
    """
    if names is None:
        return tuple(f"{prefix}{i}" for i in range(count))
    found = tuple(str(name) for name in names)
    if len(found) != count:
        message = f"names has {len(found)} entries; expected one for each {kind}, {count}"
        raise ValueError(message)
    if len(set(found)) < count:
        twice = next(name for i, name in enumerate(found) if name in found[:i])
        message = f"names holds {twice!r} twice; expected a name of its own for each {kind}"
        raise ValueError(message)
    return found
