"""Results of `information_value` and `psi`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.jeffreys import JeffreysResult
from asymptopia.theory.scorecard.paired import PairedSamples
from asymptopia.theory.scorecard.sampling import Array, FixedBaseline, IndependentSamples, Sampling


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IVResult(JeffreysResult):
    """Information value of a binned feature: `JeffreysResult` with the counts `good` and `bad`, one a bin.

    `woe` is ``log(good share / bad share)``: positive is safer.
    """

    title: ClassVar[str] = "Information value"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_iv"
    first: ClassVar[str] = "good"
    second: ClassVar[str] = "bad"

    good: NDArray[np.int64]
    bad: NDArray[np.int64]

    def _sampling(self) -> Sampling:
        x, y = self.good.astype(np.float64), self.bad.astype(np.float64)
        used = x + y > 0
        return IndependentSamples(x[used], y[used])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PSIResult(JeffreysResult):
    """Population stability index: `JeffreysResult` with the counts of both dates.

    Attributes
    ----------
    baseline : str
        How the baseline was obtained, see `psi`.
    actual : ndarray
        Counts now, one a bin.
    expected : ndarray
        Counts at the baseline, one a bin; known shares for ``baseline="fixed"``.
    table : ndarray or None
        Transition table of paired samples.
    null_weights : ndarray
        Weights of the chi-squares with one degree of freedom in the law of `statistic` under ``J = 0``: all 1 unless
        the samples are paired.
    """

    title: ClassVar[str] = "Population stability index"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.plots:plot_psi"
    first: ClassVar[str] = "actual"
    second: ClassVar[str] = "expected"

    baseline: str
    actual: NDArray[np.int64]
    expected: NDArray[np.int64] | Array
    table: NDArray[np.int64] | None
    null_weights: Array

    def _sampling(self) -> Sampling:
        x, y = self.actual.astype(np.float64), self.expected.astype(np.float64)
        used = x + y > 0
        if self.table is not None:
            return PairedSamples(self.table.astype(np.float64)[np.ix_(used, used)])
        if self.baseline == "fixed":
            return FixedBaseline(x, y)
        return IndependentSamples(x[used], y[used])
