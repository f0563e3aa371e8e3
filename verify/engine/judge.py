"""Judge the targets of a case, and their mutants, at a look."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from asymptopia.verify.engine.check import OUTLIER, Case, Mutant, Target
from asymptopia.verify.engine.evidence import log_e_value, log_e_value_of_proportion
from asymptopia.verify.engine.exact import Moments, Totals, Unbounded, Window
from asymptopia.verify.engine.sequential import (
    Interval,
    Verdict,
    asymptotic_bound,
    asymptotic_interval,
    beta_binomial_interval,
    decide,
    decide_at_most,
    validity_start,
)

UNUSED = Window(pivot=0.0, exponent=100)
"""Window of a statistic that no target of a case speaks of: wide, so that it never spoils the others."""


def windows_of(case: Case, statistics: tuple[str, ...]) -> tuple[Window, ...]:
    """Return the fixed-point window of each statistic, wide enough for every target that speaks of it.

    Raises
    ------
    ValueError
        If a target or mutant names a statistic that the kernel does not compute, or targets that share one differ
        in the pivot their windows need.
    """
    found: dict[str, Window] = {}
    for target in case.targets:
        for name in [target.statistic, *(m.statistic for m in target.mutants if m.statistic is not None)]:
            if name not in statistics:
                message = f"target {target.name!r} names the statistic {name!r}; the kernel has {', '.join(statistics)}"
                raise ValueError(message)
            window = _window(target)
            if found.setdefault(name, window) != window:
                window = _window(target, around=found[name])
                found[name] = window
    if case.control is not None:
        found.setdefault(case.control.control, Window.covering(0.0, OUTLIER * case.control.sd))
    return tuple(found.get(name, UNUSED) for name in statistics)


def _window(target: Target, around: Window | None = None) -> Window:
    if target.kind == "proportion":
        return Window.covering(0.0, 1.0)
    window = Window.covering(target.theory, OUTLIER * target.sd)
    if around is None:
        return window
    return Window(pivot=around.pivot, exponent=max(window.exponent, around.exponent))


@dataclass(slots=True)
class Ruling:
    """The verdict on one prediction and the interval it rests on; it stands from the look that decided it."""

    theory: float
    statistic: int
    verdict: Verdict = Verdict.INCONCLUSIVE
    estimate: float = float("nan")
    interval: Interval | None = None
    replicates: int = 0
    digest: str = ""
    reason: str = "no look yet"
    outside: bool = False
    log_e_value: float = float("nan")
    """Logarithm of the e-value against "the expectation lies within the tolerance"; NaN where there is no interval."""
    path: list[tuple[int, float, float, float]] = field(default_factory=list)
    """Replicates, estimate and ends of the interval at each look; NaN where there was no interval."""

    @property
    def settled(self) -> bool:
        """True once there is a verdict."""
        return self.verdict is not Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a look says of a statistic; without an interval, or with too few replicates for a verdict, why."""

    moments: Moments
    interval: Interval | None = None
    reason: str = ""


@dataclass(slots=True)
class TargetJudge:
    """Follows one target and its mutants from look to look."""

    target: Target
    window: tuple[Window | Unbounded, ...]
    statistics: tuple[str, ...]
    alpha: float
    ruling: Ruling = field(init=False)
    mutants: list[tuple[Mutant, Ruling]] = field(init=False)

    def __post_init__(self) -> None:
        target = self.target
        self.ruling = Ruling(theory=target.theory, statistic=self.statistics.index(target.statistic))
        self.mutants = [
            (
                mutant,
                Ruling(
                    theory=target.theory if mutant.theory is None else mutant.theory,
                    statistic=self.statistics.index(mutant.statistic or target.statistic),
                ),
            )
            for mutant in target.mutants
        ]

    @property
    def settled(self) -> bool:
        """True once the theory and every mutant have a verdict."""
        return self.ruling.settled and all(ruling.settled for _, ruling in self.mutants)

    @property
    def mutants_rejected(self) -> bool:
        """True if every mutant was refuted."""
        return all(ruling.verdict is Verdict.FAIL for _, ruling in self.mutants)

    @property
    def outside(self) -> bool:
        """True if there is no verdict because a replicate left its fixed-point window."""
        return self.ruling.outside

    def excuse(self, reason: str) -> None:
        """Say why there is no verdict, where there is none."""
        if not self.ruling.settled:
            self.ruling.reason = reason

    def look(self, totals: Totals) -> None:
        """Judge what is not yet settled on the totals of the blocks so far."""
        # a mutant of the target's own statistic shares its path
        own = {id(self.ruling), *(id(ruling) for mutant, ruling in self.mutants if mutant.statistic is not None)}
        evidence: dict[int, Evidence] = {}
        for ruling in [self.ruling, *(ruling for _, ruling in self.mutants)]:
            if not ruling.settled:
                if ruling.statistic not in evidence:
                    evidence[ruling.statistic] = self._evidence(ruling.statistic, totals)
                self._judge(ruling, evidence[ruling.statistic], totals)
                if id(ruling) in own:
                    low, high = ruling.interval or (math.nan, math.nan)
                    ruling.path.append((ruling.replicates, ruling.estimate, low, high))

    def _evidence(self, statistic: int, totals: Totals) -> Evidence:
        """Return what the totals say of a statistic, whatever the theory."""
        moments = totals.moments(statistic, self.window[statistic])
        if totals.nonfinite:
            return Evidence(moments, reason=f"{totals.nonfinite} replicates were not finite")
        if totals.outside:
            return Evidence(moments, reason=f"{totals.outside} replicates lay outside the window of the sums")
        if self.target.kind == "proportion":
            return Evidence(moments, beta_binomial_interval(_successes(moments), moments.n, alpha=self.alpha))
        if moments.variance == 0.0:
            return Evidence(moments, reason="the statistic did not vary, so no interval can be formed")
        few = moments.n < validity_start(moments.skewness)
        reason = f"{moments.n} replicates are too few at skewness {moments.skewness:.3g}" if few else ""
        return Evidence(moments, self._interval(moments), reason)

    def _judge(self, ruling: Ruling, evidence: Evidence, totals: Totals) -> None:
        moments = evidence.moments
        ruling.estimate, ruling.replicates, ruling.digest = moments.mean, totals.count, totals.digest()
        # an earlier look's interval must not stand beside this look's estimate
        ruling.interval = evidence.interval
        ruling.outside = ruling.outside or (totals.outside > 0 and not totals.nonfinite)
        if ruling.interval is not None:
            ruling.log_e_value = self._log_e_value(moments, ruling.theory)
            if not evidence.reason:
                ruling.verdict = self._verdict(ruling.interval, ruling.theory)
        ruling.reason = evidence.reason
        if not (ruling.settled or ruling.reason):
            ruling.reason = "the interval still straddles an end of the tolerance"

    def _log_e_value(self, moments: Moments, theory: float) -> float:
        """Return the logarithm of the e-value; NaN for a one-sided claim, which has none."""
        if self.target.kind == "proportion":
            return log_e_value_of_proportion(_successes(moments), moments.n, theory, self.target.delta)
        if self.target.claim != "equal":
            return math.nan
        stop = max(1.0, self.target.expected_stop)
        return log_e_value(
            moments.mean, moments.sd, moments.n, theory, self.target.delta, alpha=self.alpha, n_star=stop
        )

    def _interval(self, moments: Moments) -> Interval:
        """Return the two-sided sequence, or both one-sided ones, each at the whole alpha."""
        stop = max(1.0, self.target.expected_stop)
        if self.target.claim == "equal":
            return asymptotic_interval(moments.mean, moments.sd, moments.n, alpha=self.alpha, n_star=stop)
        bound = asymptotic_bound(moments.sd, moments.n, alpha=self.alpha, n_star=stop)
        return moments.mean - bound, moments.mean + bound

    def _verdict(self, interval: Interval, theory: float) -> Verdict:
        low, high = interval
        if self.target.claim == "at_most":
            return decide_at_most(low, high, theory, self.target.delta)
        if self.target.claim == "at_least":
            return decide_at_most(-high, -low, -theory, self.target.delta)
        return decide(interval, theory, self.target.delta)


def _successes(moments: Moments) -> int:
    return round(moments.mean * moments.n)
