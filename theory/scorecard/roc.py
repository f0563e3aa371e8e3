"""How well a binned score separates bads from goods: AUC, Gini and Kolmogorov-Smirnov, from counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.status import Status
from asymptopia.theory._core.validation import choice, probability, same_shape
from asymptopia.theory.scorecard.intervals import ConfidenceInterval
from asymptopia.theory.scorecard.separation import Area, Distance, area_of, distance_of, grouped, logit_interval
from asymptopia.theory.scorecard.shares import Array, whole_counts

ORDERS = ("rate", "given")
_FEW, _FEW_WRONG = 50, 5
_SELECTED = (
    "The bins were ordered by the event rate of these counts: AUC, Gini and KS are the largest that any order gives, "
    "too high on average, and their intervals do not allow for that. Take the order from other data and give it with "
    "order='given'."
)


class DiscriminationStatus(Status):
    """Validity of the standard errors and intervals, from the least to the most severe limit."""

    OK = "The counts are large enough for the standard errors and intervals."
    SPARSE = (
        f"Fewer than {_FEW} goods or bads, or fewer than {_FEW_WRONG} on the wrong side: the intervals, that of KS "
        "above all, can cover less than their level."
    )
    SEPARATED = (
        "The bins separate goods from bads completely: the standard errors are 0, and the intervals are exact "
        "binomial bounds for the separating cut."
    )
    SINGLE = "A sample holds a single observation: AUC has no standard error and no interval."
    ONE_BIN = "One bin holds all observations: nothing is separated and there is no standard error."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscriminationResult(Result):
    """Separation of goods and bads by ordered bins.

    Attributes
    ----------
    auc, gini : float
        Probability that a bad has the riskier bin than a good, ties half; ``gini = 2 auc - 1``.
    auc_se, gini_se : float
        Standard errors of DeLong.
    auc_ci, gini_ci : ConfidenceInterval
        Normal intervals for the logit of the AUC, transformed.
    ks : float
        Largest distance between the two distributions over the cut points.
    ks_cut : int
        Position in `ranking` of the cut: so many bins lie below it.
    ks_se, ks_ci : float, ConfidenceInterval
        Of the distance at that cut; NaN for ``ks = 0``. The lower end is 0 where ``KS = 0`` is not rejected.
    ks_pvalue, ks_log_pvalue : float
        Of the test of ``KS = 0``, that is of equal shares.
    ks_settled : bool
        True if every other cut is clearly lower; if not, `ks` is biased upwards and its law not normal.
    divergence : float
        Jeffreys divergence (information value) of the bins, in nats; inf if a bin is empty in one sample only.
    order : str
        As given to `discrimination`.
    ranking : ndarray
        Positions of the bins from the least to the most risky, without those that are empty in both samples.
    good, bad : ndarray
        The counts.
    level : float
        Level of the intervals.
    notes : tuple of str
        What else to know about the numbers.
    """

    title: ClassVar[str] = "Discrimination"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots_discrimination:plot_discrimination"

    auc: float
    auc_se: float
    auc_ci: ConfidenceInterval
    gini: float
    gini_se: float
    gini_ci: ConfidenceInterval
    ks: float
    ks_se: float
    ks_ci: ConfidenceInterval
    ks_cut: int
    ks_pvalue: float
    ks_log_pvalue: float
    ks_settled: bool
    divergence: float
    order: str
    ranking: NDArray[np.int64]
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    level: float
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def curve(self) -> tuple[Array, Array]:
        """Return the shares of goods and of bads above each cut, from no bin to all: the points of the ROC curve."""
        goods, bads = (np.cumsum(counts[self.ranking][::-1]) for counts in (self.good, self.bad))
        return np.r_[0.0, goods / goods[-1]], np.r_[0.0, bads / bads[-1]]

    def _lines(self) -> Iterator[tuple[str, str]]:
        for name in ("auc", "gini", "ks"):
            low, high = (format_number(end) for end in getattr(self, f"{name}_ci"))
            value, se = (format_number(getattr(self, key)) for key in (name, f"{name}_se"))
            yield name.upper() if name != "gini" else "Gini", f"{value}  SE {se}  {self.level:.4g} [{low}, {high}]"
        yield "p-value of KS = 0", format_number(self.ks_pvalue, 3)
        yield "cut of KS", f"above {self.ks_cut} of {self.ranking.size} bins"
        yield "order of the bins", "by event rate" if self.order == "rate" else "as given"
        yield "information value", format_number(self.divergence)
        yield "sizes", f"{self.good.sum()} and {self.bad.sum()}"
        for note in self.notes:
            yield "note", note

    def _columns(self) -> Mapping[str, Any]:
        goods, bads = self.good[self.ranking], self.bad[self.ranking]
        below_good, below_bad = np.cumsum(goods) / goods.sum(), np.cumsum(bads) / bads.sum()
        return {
            "bin": self.ranking,
            "good": goods,
            "bad": bads,
            "event_rate": bads / (goods + bads),
            "good_below": below_good,
            "bad_below": below_bad,
            "distance": below_good - below_bad,
        }


def discrimination(
    good: ArrayLike, bad: ArrayLike, *, order: str = "rate", level: float = 0.95
) -> DiscriminationResult:
    r"""Return AUC, Gini and the Kolmogorov-Smirnov distance of a binned score, with standard errors and intervals.

    Parameters
    ----------
    good, bad : array_like
        Whole counts of goods and bads, one a bin, shape ``(bins,)``.
    order : {"rate", "given"}
        Which bin is riskier: by the event rate of these counts, or as the bins come, the last one the riskiest.
        "rate" looks at the outcomes that it then judges: what it gives is too high on average.
    level : float
        Level of the intervals, in (0, 1).

    Returns
    -------
    DiscriminationResult

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers from 0 to 2**53, a sample is empty, the shapes differ, or an option is
        unknown.

    Notes
    -----
    *Assumptions*: independent accounts; bins and their order fixed beforehand ("given").

    With shares p of goods and q of bads, least risk first, :math:`U_i = \sum_{j<i} p_j + p_i/2` and
    :math:`W_i = \sum_{j>i} q_j + q_i/2`,

    .. math:: A = \sum_i q_i U_i = \sum_i p_i W_i, \qquad
              \widehat{\mathrm{Var}}(A) = \frac{\sum q_i (U_i - A)^2}{m - 1} + \frac{\sum p_i (W_i - A)^2}{n - 1},

    as DeLong published it [1]_; with m and n for the divisors it is the delta method. Bins of equal event rate count
    as one with ``order="rate"``. The interval of the AUC is normal on the logit scale, so it stays inside (0, 1);
    measured at 95 % with 2 to 20 bins and 4000 repeats: 94.1 to 95.8 % for an AUC of 0.5 to 0.85 and 100 goods and
    bads or more, 92.2 to 95.4 % for 0.95 (status SPARSE there with 100), 85 to 94 % for 0.99 with 100 bads.

    The distance is :math:`D = \max_k |F_k - G_k|` over the cuts. Its standard error is that of the difference of two
    proportions at the maximising cut, :math:`\sqrt{F(1-F)/n + G(1-G)/m}`, the delta method where the maximum is
    unique and positive; the interval is normal for the logit of D and covered 91 to 96 % with 100 bads. The p-value
    of "given" is that of the two-sample Kolmogorov-Smirnov test, :math:`P(K > \sqrt{n_e} D)`, which is conservative
    for bins. In the order of the rates D is half the sum of :math:`|p_i - q_i|` and has no Kolmogorov law: the
    p-value is then that of the chi-square test of `information_value` for the same hypothesis.

    Complete separation leaves standard errors of 0. Then both samples lie beyond one cut, so that
    :math:`A \ge ab` and :math:`D \ge a + b - 1` with the probabilities a and b that a good lies below it and a bad
    above; the lower ends take the exact binomial bounds :math:`(\alpha/2)^{1/n}` and :math:`(\alpha/2)^{1/m}`.

    In the order of the rates :math:`D \le \mathrm{Gini} \le 2D - D^2`, and in any order
    :math:`J \ge 2 D \log\{(1+D)/(1-D)\}`.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
       operating characteristic curves: a nonparametric approach", Biometrics 44(3), 1988, equations 3 to 5.

    Examples
    --------
    >>> found = discrimination([139, 49, 164, 348], [135, 14, 105, 46])
    >>> round(found.auc, 6), round(found.auc_se, 6), round(found.ks, 6)
    (0.707769, 0.016508, 0.367143)
    >>> round(found.gini, 6)
    0.415538
    """
    x, y = whole_counts("good", good), whole_counts("bad", bad)
    same_shape("good", x, "bad", y)
    choice("order", order, ORDERS)
    level = probability("level", level)
    alpha = 1 - level
    ranking = np.flatnonzero(x + y > 0)
    groups = np.arange(ranking.size)
    if order == "rate":
        rate = y[ranking] / (x[ranking] + y[ranking])
        by_rate = np.argsort(rate, kind="stable")
        ranking = ranking[by_rate]
        # equal event rates are ties of the score
        groups = np.cumsum(np.r_[False, np.diff(rate[by_rate]) > 0])
    goods, bads = (grouped(counts[ranking], groups) for counts in (x, y))
    area = area_of(goods, bads)
    distance = distance_of(goods, bads)
    ends = np.searchsorted(groups, np.arange(len(goods)), side="right")
    log_pvalue, divergence = _equal_shares(x, y, order, distance)
    found = _limits(goods, bads, area)
    auc_ci = logit_interval(area.value, area.se, alpha)
    ks_ci = logit_interval(distance.value, distance.se, alpha)
    if DiscriminationStatus.SEPARATED in found:
        cut = [(alpha / 2) ** (1 / size) for size in (sum(goods), sum(bads))]
        least = cut[0] * cut[1]
        auc_ci = ConfidenceInterval(least, 1.0) if area.value == 1 else ConfidenceInterval(0.0, 1 - least)
        ks_ci = ConfidenceInterval(max(0.0, cut[0] + cut[1] - 1), 1.0)
    elif log_pvalue > math.log(alpha / 2) and distance.value > 0:
        ks_ci = ConfidenceInterval(0.0, ks_ci.high)
    return DiscriminationResult(
        status=max(found, key=[*DiscriminationStatus].index),
        auc=area.value,
        auc_se=area.se,
        auc_ci=auc_ci,
        gini=area.gini,
        gini_se=2 * area.se,
        gini_ci=ConfidenceInterval(2 * auc_ci.low - 1, 2 * auc_ci.high - 1),
        ks=distance.value,
        ks_se=distance.se,
        ks_ci=ks_ci,
        ks_cut=int(ends[distance.cut - 1]) if distance.cut else 0,
        ks_pvalue=math.exp(log_pvalue),
        ks_log_pvalue=log_pvalue,
        ks_settled=distance.settled,
        divergence=divergence,
        order=order,
        ranking=ranking.astype(np.int64),
        good=x.astype(np.int64),
        bad=y.astype(np.int64),
        level=level,
        notes=tuple(_notes(x, y, order, distance)),
    )


def _equal_shares(x: Array, y: Array, order: str, distance: Distance) -> tuple[float, float]:
    """Return the log p-value of equal shares and the divergence."""
    from scipy.special import kolmogorov

    from asymptopia.theory.scorecard.inference import information_value

    found = information_value(x, y)
    if order == "rate" or found.dof == 0:
        return found.log_pvalue, found.estimate
    root = math.sqrt(found.n_eff) * distance.value
    # the first term of the series is all that is left where the sum underflows
    return (math.log(kolmogorov(root)) if root < 10 else math.log(2) - 2 * root * root), found.estimate


def _limits(goods: list[int], bads: list[int], area: Area) -> list[DiscriminationStatus]:
    smaller = min(sum(goods), sum(bads))
    wrong = smaller * min(area.value, 1 - area.value)
    checks: Iterable[tuple[bool, DiscriminationStatus]] = (
        (smaller < _FEW or wrong < _FEW_WRONG, DiscriminationStatus.SPARSE),
        (area.value in {0.0, 1.0}, DiscriminationStatus.SEPARATED),
        (smaller == 1, DiscriminationStatus.SINGLE),
        (len(goods) == 1, DiscriminationStatus.ONE_BIN),
    )
    return [DiscriminationStatus.OK, *(status for holds, status in checks if holds)]


def _notes(x: Array, y: Array, order: str, distance: Distance) -> Iterator[str]:
    if order == "rate":
        pooled = (x + y) / (x + y).sum()
        noise = np.sqrt(pooled * (1 - pooled) * (1 / x.sum() + 1 / y.sum()))
        yield f"{_SELECTED} A useless feature with these bins shows a KS of {noise.sum() / math.sqrt(2 * math.pi):.3g}."
    if distance.value > 0 and not distance.settled:
        yield "Another cut comes within two standard errors of KS: its standard error and interval are approximate."
