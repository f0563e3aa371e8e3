"""Follow the population stability index over many periods against one reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.status import Status
from asymptopia.theory._core.validation import choice, counts, probability, real
from asymptopia.theory.scorecard.adjustment import ADJUSTMENTS, adjust_pvalues
from asymptopia.theory.scorecard.batch import Array, describe_tables
from asymptopia.theory.scorecard.fast import Intervals
from asymptopia.theory.scorecard.hypotheses import format_pvalue
from asymptopia.theory.scorecard.inference import psi
from asymptopia.theory.scorecard.laws import noncentral_chi2_tails
from asymptopia.theory.scorecard.results import PSIResult
from asymptopia.theory.scorecard.screening import check_names
from asymptopia.theory.scorecard.shares import refuse_fractions, whole_counts
from asymptopia.theory.scorecard.status import ScorecardStatus

BASELINES = ("random", "fixed")
DRIFT, STABLE, OPEN = "drift", "stable", "no evidence"


class MonitorStatus(Status):
    """Outcome of a monitoring."""

    OK = "Every period lies within the validity of the theory."
    CAVEATS = "Some periods lie outside the validity of the theory: see their own status."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonitorResult(Result):
    """Stability of a binned variable over periods, against one reference.

    Attributes
    ----------
    names : tuple of str
        The periods.
    reference : ndarray, shape (bins,)
        Counts of the reference, or its known shares.
    table : ndarray of int64, shape (periods, bins)
        Counts of the periods.
    estimate, estimate_smoothed, bias, se, statistic, dof, pvalue, log_pvalue, n_eff : ndarray, shape (periods,)
        As in `JeffreysResult`. The p-value is that of ``PSI = 0``.
    ci : Intervals
        Ends ``low`` and ``high`` of the SNC intervals at `level`, each for its period alone.
    adjusted : ndarray
        `pvalue`, adjusted for the number of periods.
    shift_adjusted, stable_adjusted : ndarray or None
        Adjusted p-values of the tests of ``PSI <= margin`` and of ``PSI >= margin``; None without a margin.
    verdicts : tuple of str
        One of ``"drift"``, ``"stable"``, ``"no evidence"`` a period, see `drift_monitor`.
    critical : ndarray
        Index that the plug-in of any of the periods exceeds with probability at most `alpha` where nothing drifts.
    baseline, adjustment : str
        As given; ``"none"`` for an adjustment that is None.
    alpha, level : float
        As given.
    margin : float or None
        As given, in nats.
    statuses : tuple of ScorecardStatus
        The most severe limit of validity of each period.
    """

    title: ClassVar[str] = "Stability over periods"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_monitor"

    names: tuple[str, ...]
    reference: NDArray[np.int64] | Array
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
    adjusted: Array
    shift_adjusted: Array | None
    stable_adjusted: Array | None
    verdicts: tuple[str, ...]
    critical: Array
    baseline: str
    adjustment: str
    alpha: float
    level: float
    margin: float | None
    statuses: tuple[ScorecardStatus, ...]

    def __post_init__(self) -> None:
        for value in [*(getattr(self, item.name) for item in fields(self)), *self.ci]:
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def __getitem__(self, period: str | int) -> PSIResult:
        """Return the full result of one period, by name or position, made anew from its counts.

        Raises
        ------
        KeyError
            If there is no such name; the message lists those that are.
        """
        if isinstance(period, str):
            if period not in self.names:
                message = f"no period {period!r}; there are {', '.join(map(repr, self.names))}"
                raise KeyError(message)
            period = self.names.index(period)
        return psi(self.table[period], self.reference, baseline=self.baseline)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "periods", f"{len(self.names)}, adjustment {self.adjustment}, alpha {format_number(self.alpha)}"
        if self.margin is not None:
            yield "margin", format_number(self.margin)
        for verdict in (DRIFT, STABLE, OPEN):
            yield verdict, str(self.verdicts.count(verdict))
        for i, name in enumerate(self.names):
            low, high = (format_number(float(end[i]), 4) for end in self.ci)
            yield (
                name,
                f"PSI {format_number(float(self.estimate[i]), 4)}  {100 * self.level:g} % [{low}, {high}]  "
                f"p {format_pvalue(float(self.log_pvalue[i]))}  adjusted {format_number(float(self.adjusted[i]), 3)}  "
                f"{self.verdicts[i]}" + ("" if self.statuses[i].ok else f"  {self.statuses[i].name}"),
            )

    def _columns(self) -> Mapping[str, Any]:
        columns: dict[str, Any] = {
            "period": list(self.names),
            "n": self.table.sum(axis=1),
            "estimate": self.estimate,
            "estimate_smoothed": self.estimate_smoothed,
            "bias": self.bias,
            "se": self.se,
            "ci_low": self.ci.low,
            "ci_high": self.ci.high,
            "statistic": self.statistic,
            "dof": self.dof,
            "pvalue": self.pvalue,
            "pvalue_adjusted": self.adjusted,
            "critical": self.critical,
        }
        if self.shift_adjusted is not None and self.stable_adjusted is not None:
            columns |= {"shift_adjusted": self.shift_adjusted, "stable_adjusted": self.stable_adjusted}
        return columns | {"verdict": list(self.verdicts), "status": [item.name for item in self.statuses]}


def drift_monitor(
    reference: ArrayLike,
    periods: ArrayLike,
    *,
    alpha: float = 0.05,
    adjust: str | None = "bonferroni",
    margin: float | None = None,
    baseline: str = "random",
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> MonitorResult:
    r"""Return the population stability index of every period with a verdict on each.

    Parameters
    ----------
    reference : array_like, shape (bins,)
        Whole counts of the reference sample; for ``baseline="fixed"`` its known shares.
    periods : array_like, shape (periods, bins)
        Whole counts of each period over the same bins.
    alpha : float
        Probability of a false verdict over all periods, in (0, 1), for each of the three tests by itself.
    adjust : {"bonferroni", "holm", "bh", "by"} or None
        Adjustment of the p-values for the number of periods, see `adjust_pvalues`. With "bonferroni" alone a verdict
        depends on how many periods are planned only, not on the other periods' counts.
    margin : float, optional
        The index from which a shift matters, > 0, in nats, such as 0.1.
    baseline : {"random", "fixed"}
        As in `psi`. A reference of which the bin edges are quantiles is "random".
    names : sequence of str, optional
        Names of the periods, all different; 1, 2, ... if left out.
    level : float
        Level of the intervals, in (0, 1). They are not adjusted.

    Returns
    -------
    MonitorResult

    Raises
    ------
    TypeError, ValueError
        As `psi` for each period; ValueError also for an argument out of its range.

    Notes
    -----
    *Assumptions*: as `psi`; the periods are samples independent of one another and of the reference. Accounts that are
    followed through all periods are not: use ``psi(..., baseline="paired")``.

    *Verdicts*. Without a margin "drift" means that ``PSI = 0`` is rejected, else there is "no evidence": a large
    p-value does not show stability. With a margin "drift" means that ``PSI <= margin`` is rejected, "stable" that
    ``PSI >= margin`` is, and "no evidence" that the counts show neither. In each period only one of these two
    hypotheses is true, so that with "bonferroni" the probability of any false verdict is at most `alpha`, both tests
    together; with "holm" it is at most `alpha` for each of the two.

    *Dependence*. All periods share the reference, which makes their p-values positively dependent. Bonferroni's and
    Holm's adjustments hold all the same. That of Benjamini and Hochberg needs positive regression dependence: under
    ``PSI = 0`` in all periods of equal size the statistics are, in the limit, independent noncentral chi-squares given
    the length of the reference's deviation, and have it. "by" needs nothing.

    References
    ----------
    .. [1] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
       Validation 14(4), 2020.
    .. [2] Y. Benjamini, D. Yekutieli, "The control of the false discovery rate in multiple testing under dependency",
       Ann. Statist. 29, 2001, theorem 1.2.

    Examples
    --------
    >>> reference = [1000, 2000, 4000, 2000, 1000]
    >>> months = [[510, 980, 2020, 990, 500], [560, 1060, 1980, 940, 460], [900, 1300, 1700, 700, 400]]
    >>> drift_monitor(reference, months).verdicts
    ('no evidence', 'no evidence', 'drift')
    >>> drift_monitor(reference, months, margin=0.05).verdicts
    ('stable', 'stable', 'drift')
    """
    choice("baseline", baseline, BASELINES)
    alpha, level = probability("alpha", alpha), probability("level", level)
    if adjust is not None:
        choice("adjust", adjust, ADJUSTMENTS)
    if margin is not None:
        margin = real("margin", margin, 0.0, math.inf, closed="neither")
    if np.ndim(periods) != 2 or np.size(periods) == 0:
        message = f"periods has shape {np.shape(periods)}; expected (periods, bins): one row of counts a period"
        raise ValueError(message)
    x = refuse_fractions("periods", counts("periods", periods))
    fixed = baseline == "fixed"
    y = _reference(reference, x.shape[1], baseline)
    found = describe_tables(x, np.broadcast_to(y, x.shape), fixed=fixed, level=level)
    pvalue = np.exp(found.log_pvalue)
    adjusted = adjust_pvalues(pvalue, adjust)
    shift = stable = None
    if margin is not None:
        shift, stable = np.full(pvalue.size, np.nan), np.full(pvalue.size, np.nan)
        tested = found.dof > 0
        law = (item[tested] for item in (found.seen, found.nu, found.n_eff * margin / found.rho))
        tails = noncentral_chi2_tails(*law)
        shift[tested], stable[tested] = np.exp(tails.sf), np.exp(tails.cdf)
        shift, stable = adjust_pvalues(shift, adjust), adjust_pvalues(stable, adjust)
    return MonitorResult(
        status=MonitorStatus.OK if all(item.ok for item in found.statuses) else MonitorStatus.CAVEATS,
        names=check_names([str(i + 1) for i in range(len(x))] if names is None else names, len(x), "period", ""),
        reference=y if fixed else y.astype(np.int64),
        table=x.astype(np.int64),
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
        adjusted=adjusted,
        shift_adjusted=shift,
        stable_adjusted=stable,
        verdicts=_verdicts(adjusted, shift, stable, alpha),
        critical=_critical(found.n_eff, found.dof, alpha / len(x)),
        baseline=baseline,
        adjustment=adjust or "none",
        alpha=alpha,
        level=level,
        margin=margin,
        statuses=found.statuses,
    )


def _reference(reference: ArrayLike, bins: int, baseline: str) -> Array:
    """Return the counts of the reference, or its shares divided by their sum."""
    if baseline == "random":
        y = whole_counts("reference", reference)
    else:
        try:
            y = np.asarray(psi(np.ones(np.size(reference)), reference, baseline="fixed").expected)
        except (TypeError, ValueError) as error:
            # what psi calls expected
            raise type(error)(str(error).replace("expected", "reference", 1)) from None
    if y.size != bins:
        message = f"periods has {bins} bins and reference has {y.size}; expected the same bins in both"
        raise ValueError(message)
    return y


def _verdicts(adjusted: Array, shift: Array | None, stable: Array | None, alpha: float) -> tuple[str, ...]:
    if shift is None or stable is None:
        return tuple(DRIFT if p <= alpha else OPEN for p in adjusted)
    return tuple(DRIFT if p <= alpha else STABLE if q <= alpha else OPEN for p, q in zip(shift, stable, strict=True))


def _critical(n_eff: Array, dof: NDArray[np.int64], alpha: float) -> Array:
    from scipy.special import gammainccinv

    result = np.full(dof.size, np.nan)
    result[dof > 0] = 2 * gammainccinv(dof[dof > 0] / 2, alpha) / n_eff[dof > 0]
    return result
