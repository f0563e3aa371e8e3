"""Results of `information_value` and `psi`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.covariance import FixedBins
from asymptopia.theory.scorecard.jeffreys_result import JeffreysResult
from asymptopia.theory.scorecard.paired import PairedSamples
from asymptopia.theory.scorecard.sampling import Array, FixedBaseline, IndependentSamples, Sampling
from asymptopia.theory.scorecard.survey import SurveyTable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IVResult(JeffreysResult):
    """Information value of a binned feature: `JeffreysResult` with the counts `good` and `bad`, one a bin.

    `woe` is ``log(good share / bad share)``: positive is safer.

    Attributes
    ----------
    design : str
        How the counts were drawn, see `information_value`; ``"survey"`` for weighted or clustered rows.
    good, bad : ndarray
        The counts; sums of the weights for a survey.
    survey : SurveyTable or None
        The table of weighted or clustered rows.
    """

    title: ClassVar[str] = "Information value"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_iv"
    first: ClassVar[str] = "good"
    second: ClassVar[str] = "bad"

    design: str
    good: NDArray[np.int64] | Array
    bad: NDArray[np.int64] | Array
    survey: SurveyTable | None

    def _sampling(self) -> Sampling:
        if self.survey is not None:
            return self.survey.sampling()
        x, y = self.good.astype(np.float64), self.bad.astype(np.float64)
        used = x + y > 0
        if self.design == "fixed-bins":
            return FixedBins(x[used], y[used])
        return IndependentSamples(x[used], y[used])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PSIResult(JeffreysResult):
    """Population stability index: `JeffreysResult` with the counts of both dates.

    Attributes
    ----------
    baseline : str
        How the baseline was obtained, see `psi`.
    design : str
        How the counts were drawn, see `psi`; ``"survey"`` for weighted or clustered rows.
    actual : ndarray
        Counts now, one a bin; sums of the weights for a survey.
    expected : ndarray
        Counts at the baseline, one a bin; known shares for ``baseline="fixed"``, sums of the weights for a survey.
    table : ndarray or None
        Transition table of paired samples.
    null_weights : ndarray
        Weights of the chi-squares with one degree of freedom in the law of `statistic` under ``J = 0``: all 1 unless
        the samples are paired or a survey.
    survey : SurveyTable or None
        The table of weighted or clustered rows.
    """

    title: ClassVar[str] = "Population stability index"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_psi"
    first: ClassVar[str] = "actual"
    second: ClassVar[str] = "expected"

    baseline: str
    design: str
    actual: NDArray[np.int64] | Array
    expected: NDArray[np.int64] | Array
    table: NDArray[np.int64] | None
    null_weights: Array
    survey: SurveyTable | None

    def _sampling(self) -> Sampling:
        if self.survey is not None:
            return self.survey.sampling()
        x, y = self.actual.astype(np.float64), self.expected.astype(np.float64)
        used = x + y > 0
        if self.table is not None:
            return PairedSamples(self.table.astype(np.float64)[np.ix_(used, used)])
        if self.baseline == "fixed":
            return FixedBaseline(x, y)
        return IndependentSamples(x[used], y[used])
