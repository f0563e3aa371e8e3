"""Tests of no shift, of a material shift and of stability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory.scorecard.intervals import SNC
from asymptopia.theory.scorecard.laws import LogTails, chi2_tails, weighted_chi2_tails
from asymptopia.theory.scorecard.sampling import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TestResult(Result):
    """A test on the divergence J.

    Attributes
    ----------
    hypothesis : str
        The null hypothesis, in words.
    alternative : str
        ``"greater"`` or ``"less"``.
    margin : float or None
        The divergence at the border of the null hypothesis, in nats; None for the test of ``J = 0``.
    statistic : float
        Observed value: ``n_eff J`` for ``J = 0``, ``n_eff J / scale`` of the smoothed estimate for a margin.
    dof, noncentrality, scale : float
        Law of the statistic at the border: noncentral chi-square; `scale` is the rho of the SNC law.
    pvalue, log_pvalue : float
        The p-value and its natural logarithm, which holds where the p-value underflows. NaN if nothing can be tested.
    """

    __test__: ClassVar[bool] = False  # not a test class of pytest
    title: ClassVar[str] = "Test on the Jeffreys divergence"

    hypothesis: str
    alternative: str
    margin: float | None
    statistic: float
    dof: float
    noncentrality: float
    scale: float
    pvalue: float
    log_pvalue: float

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "null hypothesis", self.hypothesis
        yield "statistic", f"{format_number(self.statistic)} on {format_number(self.dof)} degrees of freedom"
        if self.margin is not None:
            yield "noncentrality", format_number(self.noncentrality)
        yield "p-value", format_pvalue(self.log_pvalue)


def null_tails(statistic: float, weights: Array) -> LogTails:
    """Return the log tails of ``sum w_i chi2_1`` at `statistic` >= 0; central chi-square if all weights are 1."""
    if (weights == 1.0).all():
        return LogTails(*(float(tail) for tail in chi2_tails(statistic, weights.size)))
    return weighted_chi2_tails(statistic, weights) if statistic > 0 else LogTails(-np.inf, 0.0)


def margin_log_pvalue(law: SNC, margin: float, alternative: str) -> float:
    """Return the log p-value of ``J <= margin`` ("greater") or ``J >= margin`` ("less") under the SNC law."""
    tails = law.tails(margin)
    return float(tails.sf if alternative == "greater" else tails.cdf)


def format_pvalue(log_pvalue: float, digits: int = 3) -> str:
    """Return a p-value for people, from its logarithm: it may lie far below the smallest float.

    Examples
    --------
    >>> format_pvalue(-50000.0)
    '1.89e-21715'
    """
    if not log_pvalue < -700:
        return format_number(float(np.exp(log_pvalue)), digits)
    power = log_pvalue / np.log(10)
    whole = int(np.floor(power))
    mantissa = round(float(10 ** (power - whole)), digits - 1)
    return f"{mantissa:g}e{whole}" if mantissa < 10 else f"1e{whole + 1}"
