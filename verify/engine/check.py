"""What a check declares: its kernel, cases, targets with their tolerance, and the mutants it must refute."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from asymptopia.theory._core.validation import integer
from asymptopia.verify.engine.build import Kernel

Profile = Literal["quick", "standard", "exhaustive"]
PROFILES: tuple[Profile, ...] = ("quick", "standard", "exhaustive")
OUTLIER = 1024.0
"""A replicate further than this many standard deviations from the theory lies outside the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The same claim with a constant changed or a term dropped; the check must refute it.

    Attributes
    ----------
    name : str
        What was changed.
    theory : float, optional
        The value that the changed claim predicts; the target's own if None.
    statistic : str, optional
        The statistic that the changed claim speaks of (a negative control); the target's own if None.
    """

    name: str
    theory: float | None = None
    statistic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One expectation that theory predicts.

    Attributes
    ----------
    name : str
        Unique within its case.
    statistic : str
        The statistic of the kernel whose mean is predicted.
    theory, delta : float
        The prediction, and the tolerance within which it is claimed; ``delta > 0``.
    delta_reason : str
        Why that tolerance: rounding, the next-order term, a stated band.
    sd : float
        Anticipated standard deviation of a replicate. It places the fixed-point window and makes the confidence
        sequence tightest where the verdict is expected; a wrong value costs replicates, never validity.
    kind : {"mean", "proportion"}
        A proportion is judged by the exact sequence.
    claim : {"equal", "at_most", "at_least"}
        Whether `theory` is the value of the expectation or a bound on it. A bound is judged by one-sided sequences.
    mutants : tuple of Mutant
        At least one.
    """

    name: str
    statistic: str
    theory: float
    delta: float
    delta_reason: str
    sd: float
    kind: Literal["mean", "proportion"] = "mean"
    claim: Literal["equal", "at_most", "at_least"] = "equal"
    mutants: tuple[Mutant, ...]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.theory) and math.isfinite(self.delta) and self.delta > 0):
            message = (
                f"target {self.name!r} has theory {self.theory!r} and delta {self.delta!r}; expected finite, delta > 0"
            )
            raise ValueError(message)
        if not (math.isfinite(self.sd) and self.sd > 0):
            message = f"target {self.name!r} has sd {self.sd!r}; expected a finite number > 0"
            raise ValueError(message)
        if not self.mutants:
            message = f"target {self.name!r} has no mutant; a check that cannot fail is a defect"
            raise ValueError(message)
        for mutant in self.mutants:
            moved = self.theory if mutant.theory is None else mutant.theory
            near = self.claim == "equal" and mutant.statistic is None
            if near and not abs(moved - self.theory) > 2 * self.delta:
                message = (
                    f"mutant {mutant.name!r} predicts {moved!r}, within 2 delta = {2 * self.delta:.3g} of the theory "
                    f"{self.theory!r}: no verdict could tell them apart"
                )
                raise ValueError(message)

    @property
    def expected_stop(self) -> float:
        """Replicates at which the verdict is expected: 25 (sd / delta)**2."""
        return 25.0 * (self.sd / self.delta) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control variate: a statistic of known mean 0 that takes variance out of another.

    Attributes
    ----------
    statistic, control : str
        The kernel returns ``x - params[slot] * c`` as `statistic` and c, of mean 0, as `control`.
    sd : float
        Anticipated standard deviation of c; it places its fixed-point window.
    slot : int
        The entry of the parameters that holds the coefficient. What the case puts there is ignored.
    pilot : int
        Blocks from which the coefficient is estimated. They do not count for the verdict: a coefficient that had seen
        the replicates it is used on would bias their mean.
    """

    statistic: str
    control: str
    sd: float
    slot: int
    pilot: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A point of the parameter space: the kernel's parameters and what is predicted there.

    Attributes
    ----------
    name : str
        Unique within its check.
    params : tuple of float
        Parameters of the kernel.
    targets : tuple of Target
        Predictions, judged on the same replicates.
    budget : int
        Replicates at most.
    control : Control, optional
        A control variate.
    """

    name: str
    params: tuple[float, ...]
    targets: tuple[Target, ...]
    budget: int
    control: Control | None = None

    def __post_init__(self) -> None:
        integer("budget", self.budget, 1)
        names = [target.name for target in self.targets]
        if not names or len(set(names)) < len(names):
            message = f"case {self.name!r} has the targets {names}; expected at least one, each name once"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A Monte Carlo check of one claim.

    Attributes
    ----------
    id : str
        ``"result.check"``.
    statement : str
        What is being checked, in one sentence.
    kernel : Kernel
        Computes the statistics of one replicate.
    cases : callable
        ``cases(profile)`` returns the cases; theory is asked here, not at import.
    version : int
        Raised when the meaning of the parameters changes; part of the random key.
    """

    id: str
    statement: str
    kernel: Kernel
    cases: Callable[[Profile], tuple[Case, ...]] = field(repr=False)
    version: int = 1


def unique(checks: Mapping[str, Check] | list[Check] | tuple[Check, ...]) -> dict[str, Check]:
    """Return the checks by identifier; two of the same identifier are an error."""
    found: dict[str, Check] = {}
    for check in checks.values() if isinstance(checks, Mapping) else checks:
        if check.id in found:
            message = f"two checks have the id {check.id!r}"
            raise ValueError(message)
        found[check.id] = check
    return found
