"""What the p-n criterion gives: the estimated risk, the threshold, the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory.projection.bootstrap import CriterionBootstrap
from asymptopia.theory.projection.contractions import Contractions
from asymptopia.theory.projection.risk_result import whole_sizes
from asymptopia.theory.projection.status import ProjectionStatus

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PNCriterion(Result):
    """Whether n observations are enough for p parameters: the estimated risk of the MLE against a threshold, nats."""

    title: ClassVar[str] = "Is n enough for p?"
    plotter: ClassVar[str] = "asymptopia.theory.projection.plots:plot_criterion"

    status: ProjectionStatus
    """The most severe limit of validity; CONDITIONAL says what risk is meant and takes nothing from the verdict."""
    passed: bool
    """True if the risk is at most the threshold; False too where there is no verdict, see `decided`."""
    risk: float
    """First and second term; never clipped."""
    first: float
    """t0 / (2 n)."""
    second: float
    """The n**-2 term, with the bias of the first taken off if `bias_correct`; 0 if `order` is 1."""
    threshold: float
    """Largest divergence at which the Bayes error rate is surely within `alpha` of 1/2."""
    t0: float
    """tr(G^-1 Sigma), p in a model that holds."""
    p: int
    n: int
    required_n: int | None
    """Smallest n from which `risk_at` is at most the threshold; None where there is no such root (status NO_ROOT)."""
    c1: float
    """Coefficient of 1/m of the risk at m observations, with the bias of the estimate from n taken off."""
    c2: float
    """Coefficient of 1/m**2, plug-in; 0 if `order` is 1."""
    mc_error: float
    """Monte Carlo standard error of the risk under a sampled family: of its moments, from batches of draws, and of the
    fitted theta, to first order. 0 where moments are computed."""
    theta_star: Array
    """The estimate of the projection, natural parameter, shape (p,)."""
    alpha: float
    bound: str
    order: int
    bias_correct: bool
    family: str
    second_error: float | None
    """Bootstrap standard error of the n**-2 coefficient ``n**2 * second``; None without a bootstrap."""
    contractions: Contractions | None
    """None if `order` is 1."""
    largest_share: float
    """Share of t0 that one observation carries, the largest."""
    largest_row: int
    """Which row of the data (the first is 0), in a report which of its table; for a discrete family the first of those
    with that value."""
    bootstrap: CriterionBootstrap | None
    notes: tuple[str, ...]
    """Sentences for people: each limit of validity and what to do."""

    def __post_init__(self) -> None:
        self.theta_star.setflags(write=False)

    @property
    def naive(self) -> float:
        """The first term if the model held, p / (2 n)."""
        return self.p / (2.0 * self.n)

    @property
    def ratio(self) -> float:
        """t0 / p: 1 if the model holds, the factor by which misspecification multiplies the leading risk."""
        return self.t0 / self.p if self.p else math.nan

    @property
    def decided(self) -> bool:
        """False where there is no verdict: the series gives a negative risk, or all observations are the same."""
        return self.risk >= 0.0 and (self.t0 > 0.0 or self.p == 0)

    @property
    def verdict(self) -> str:
        """The answer in a sentence."""
        head = f"n = {self.n} is {'enough' if self.passed else 'not enough'} for p = {self.p}"
        risk, bar = format_number(self.risk, 4), format_number(self.threshold, 4)
        if self.risk < 0:
            return (
                f"No verdict for p = {self.p} at n = {self.n}: the series gives the risk {risk}, and a risk is not "
                "negative."
            )
        if not self.decided:
            return f"No verdict for p = {self.p} at n = {self.n}: the statistic is the same for all observations."
        if self.passed:
            return f"{head}: the estimated risk {risk} is at most {bar}."
        if self.required_n is None:
            return f"{head}: the estimated risk {risk} exceeds {bar}."
        return f"{head}: the estimated risk {risk} exceeds {bar}; n = {self.required_n} would do."

    def risk_at(self, n: ArrayLike) -> Any:
        """Return the estimated series at other sample sizes, integers of at least 1; a float for a scalar.

        Raises
        ------
        TypeError, ValueError
            If a size is no integer of at least 1.
        """
        x = 1.0 / whole_sizes(n)
        value = x * (self.c1 + self.c2 * x)
        return float(value) if value.ndim == 0 else value

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "verdict", self.verdict
        yield "model", f"{self.family}, p = {self.p}, n = {self.n}"
        yield "risk", f"{format_number(self.risk)} nats{self._error()}"
        yield "  first, t0/(2n)", f"{format_number(self.first)} (t0 = {format_number(self.t0)})"
        if self.order > 1:
            how = "bias of the first taken off" if self.bias_correct else "plug-in"
            yield "  second", f"{format_number(self.second)} ({how})"
        yield "threshold", f"{format_number(self.threshold)} ({self.bound}, alpha = {format_number(self.alpha)})"
        yield "p/(2n)", f"{format_number(self.naive)} (first term if the model held)"
        yield "t0/p", format_number(self.ratio, 4)
        yield "required n", "none by this series" if self.required_n is None else str(self.required_n)
        if self.bootstrap is not None:
            low, high = self.bootstrap.risk_interval
            yield (
                f"{self.bootstrap.level:.0%} bootstrap",
                f"[{format_number(low, 4)}, {format_number(high, 4)}], {self.bootstrap.repeats} resamples",
            )
        yield "largest row", f"{self.largest_share:.1%} of t0, row {self.largest_row}"
        for note in self.notes:
            yield "note", note

    def _error(self) -> str:
        parts = []
        if self.bootstrap is not None:
            parts.append(f"standard error {format_number(self.bootstrap.risk_se, 3)}")
        if self.mc_error:
            parts.append(f"Monte Carlo error {format_number(self.mc_error, 3)}")
        return f" ({', '.join(parts)})" if parts else ""

    def _columns(self) -> Mapping[str, Any]:
        names = (
            "family", "n", "p", "t0", "ratio", "naive", "first", "second", "risk", "threshold", "passed", "required_n",
            "alpha", "bound", "order", "bias_correct", "c1", "c2", "second_error", "mc_error", "largest_share",
        )  # fmt: skip
        return {**{name: [getattr(self, name)] for name in names}, "status": [self.status.name]}
