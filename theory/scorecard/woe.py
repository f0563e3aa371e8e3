"""Weight of Evidence with its covariance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.special import log_ratio
from asymptopia.theory._core.validation import choice, probability, same_shape
from asymptopia.theory.scorecard.covariance import FixedBins
from asymptopia.theory.scorecard.sampling import IndependentSamples, share_odds
from asymptopia.theory.scorecard.shares import Array, check_smoothing, two_samples, whole_counts
from asymptopia.theory.scorecard.status import ScorecardStatus

SIGNS = ("good/bad", "bad/good")
KINDS = ("woe", "logit")
DESIGNS = ("two-sample", "joint", "fixed-bins")


class Band(NamedTuple):
    """Ends of the intervals of all bins."""

    low: Array
    high: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WoETable(Result):
    """Weight of Evidence, or log odds, of each bin.

    Attributes
    ----------
    woe, woe_se : ndarray
        Values and standard errors, one a bin; NaN in a bin that is empty in both samples. Without smoothing a bin that
        is empty in one has an infinite value and no standard error, NaN.
    cov : ndarray
        Covariance of `woe`, shape ``(bins, bins)``.
    good, bad : ndarray
        The counts.
    sign, kind, design : str
        As given to `woe_table`.
    smoothing : float
        Pseudo-count a bin.
    """

    title: ClassVar[str] = "Weight of Evidence"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_woe"

    woe: Array
    woe_se: Array
    cov: Array
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    sign: str
    kind: str
    design: str
    smoothing: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def confidence_interval(self, level: float = 0.95) -> Band:
        """Return normal intervals for each bin by itself, ``woe -+ z woe_se``.

        The variance is within 1 % of the truth from 100 observations a cell, and 4 % too small at about 40.
        """
        from scipy.special import ndtri

        reach = -float(ndtri((1 - probability("level", level)) / 2)) * self.woe_se
        return Band(self.woe - reach, self.woe + reach)

    def _lines(self) -> Iterator[tuple[str, str]]:
        over, under = self.sign.split("/")
        yield "sign", f"log({over} / {under})" + (", of counts in the bin" if self.kind == "logit" else ", of shares")
        low, high = self.confidence_interval()
        for i, value in enumerate(self.woe):
            ends = f"[{format_number(float(low[i]), 4)}, {format_number(float(high[i]), 4)}]"
            yield f"bin {i}", f"{format_number(float(value), 4)}  95 % {ends}"

    def _columns(self) -> Mapping[str, Any]:
        low, high = self.confidence_interval()
        return {
            "bin": np.arange(self.woe.size),
            "good": self.good,
            "bad": self.bad,
            "woe": self.woe,
            "woe_se": self.woe_se,
            "ci_low": low,
            "ci_high": high,
        }


def woe_table(
    good: ArrayLike,
    bad: ArrayLike,
    *,
    sign: str = "good/bad",
    kind: str = "woe",
    design: str = "two-sample",
    smoothing: float = 0,
) -> WoETable:
    r"""Return the Weight of Evidence of each bin with its covariance.

    Parameters
    ----------
    good, bad : array_like
        Whole counts of goods and bads, one a bin, shape ``(bins,)``.
    sign : {"good/bad", "bad/good"}
        What is divided by what; with "good/bad" positive is safer. Both are in use elsewhere.
    kind : {"woe", "logit"}
        ``log(p_i / q_i)`` of the bin shares, or ``log(x_i / y_i)`` of the counts in the bin.
    design : {"two-sample", "joint", "fixed-bins"}
        As in `information_value`. The covariance of the logits is the same in all.
    smoothing : float
        Added to both counts of each bin that is not empty in both.

    Returns
    -------
    WoETable

    Raises
    ------
    TypeError, ValueError
        As `information_value`; ValueError also for an unknown `sign`, `kind` or `design`.

    Notes
    -----
    *Assumptions*: two independent multinomial samples, or one split by outcome; bins fixed beforehand. To first order,

    .. math:: \mathrm{Var}(\mathrm{WoE}_i) = \frac1{x_i} - \frac1n + \frac1{y_i} - \frac1m, \qquad
              \mathrm{Cov}(\mathrm{WoE}_i, \mathrm{WoE}_j) = -\frac1n - \frac1m .

    With bins of fixed sizes :math:`N_i`, :math:`c = 1/n + 1/m` and :math:`S = \sum x_i y_i / N_i`,

    .. math:: \mathrm{Var}(\mathrm{WoE}_i) = \frac1{x_i} + \frac1{y_i} - 2c + c^2 S, \qquad
              \mathrm{Cov}(\mathrm{WoE}_i, \mathrm{WoE}_j) = -2c + c^2 S,

    at most the above, since :math:`cS \le 1`.

    ``1/x_i + 1/y_i`` is the variance of the logit, whose bins are independent; contrasts between bins have the same
    variance in both kinds.

    References
    ----------
    .. [1] N. Siddiqi, "Credit Risk Scorecards", Wiley, 2006, chapter 6.
    .. [2] A. Agresti, "Categorical Data Analysis", 3rd ed., Wiley, 2013, section 16.1 (delta method for multinomials).

    Examples
    --------
    >>> table = woe_table([139, 49, 164, 348], [135, 14, 105, 46])
    >>> table.woe.round(4)
    array([-0.8181,  0.4055, -0.4014,  1.1763])
    >>> table.woe_se.round(4)
    array([0.0992, 0.2951, 0.1042, 0.1409])
    >>> woe_table([139, 49, 164, 348], [135, 14, 105, 46], design="fixed-bins").woe_se.round(4)
    array([0.0962, 0.2941, 0.1013, 0.1388])
    """
    x, y = whole_counts("good", good), whole_counts("bad", bad)
    same_shape("good", x, "bad", y)
    choice("sign", sign, SIGNS)
    choice("kind", kind, KINDS)
    choice("design", design, DESIGNS)
    a = check_smoothing(smoothing)
    used = x + y > 0
    samples = (FixedBins if design == "fixed-bins" else IndependentSamples)(x[used], y[used])
    woe, cov = np.full(x.size, np.nan), np.full((x.size, x.size), np.nan)
    within = np.ix_(used, used)
    if kind == "woe":
        woe[used] = log_ratio(*two_samples(samples.x, samples.y, a))
        cov[within] = samples.woe_covariance(a)
    else:
        woe[used] = log_ratio(samples.x + a, samples.y + a)
        odds = (1 + share_odds(samples.x + a)) / samples.n + (1 + share_odds(samples.y + a)) / samples.m
        cov[within] = 0.0
        cov[used, used] = odds
    without_error = ~np.isfinite(cov.diagonal())
    cov[without_error, :] = cov[:, without_error] = np.nan
    zero_cell = a == 0 and samples.zero_cell
    sparse = float(samples.expected_counts.min()) < 1
    status = ScorecardStatus.ZERO_CELL if zero_cell else ScorecardStatus.SPARSE if sparse else ScorecardStatus.OK
    return WoETable(
        status=status,
        woe=woe if sign == "good/bad" else -woe,
        woe_se=np.sqrt(cov.diagonal()),
        cov=cov,
        good=x.astype(np.int64),
        bad=y.astype(np.int64),
        sign=sign,
        kind=kind,
        design=design,
        smoothing=a,
    )
