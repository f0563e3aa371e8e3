"""The front between the information about a target and about a protected attribute that binned features carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.fairness.front import fairness_front as fairness_front
    from asymptopia.theory.scorecard.fairness.result import FrontPoint as FrontPoint
    from asymptopia.theory.scorecard.fairness.result import FrontResult as FrontResult
    from asymptopia.theory.scorecard.fairness.status import FrontStatus as FrontStatus

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "front": ("fairness_front",),
        "result": ("FrontPoint", "FrontResult"),
        "status": ("FrontStatus",),
    },
)
