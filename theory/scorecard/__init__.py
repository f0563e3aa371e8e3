"""Inference for Weight of Evidence, Information Value and Population Stability Index.

Information Value and Population Stability Index are one functional, the Jeffreys divergence
``J(P, Q) = sum (p - q) log(p / q)`` of two vectors of bin shares, in nats. `information_value` and `psi` estimate it
from counts, with a standard error, a bias, the test of ``J = 0`` and an interval that holds at ``J = 0`` and far from
it; `woe_table` gives the Weight of Evidence with its covariance; `psi_critical_value`, `psi_power`,
`psi_sample_size` and `threshold_false_alarm` plan a monitoring; `count_table` counts coded rows; `iv_screen_frame` and
`psi_screen_frame` go from data frames to results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.counting import count_table as count_table
    from asymptopia.theory.scorecard.data import Screen as Screen
    from asymptopia.theory.scorecard.data import iv_screen_frame as iv_screen_frame
    from asymptopia.theory.scorecard.data import psi_screen_frame as psi_screen_frame
    from asymptopia.theory.scorecard.design import SampleSize as SampleSize
    from asymptopia.theory.scorecard.design import psi_critical_value as psi_critical_value
    from asymptopia.theory.scorecard.design import psi_power as psi_power
    from asymptopia.theory.scorecard.design import psi_sample_size as psi_sample_size
    from asymptopia.theory.scorecard.design import threshold_false_alarm as threshold_false_alarm
    from asymptopia.theory.scorecard.exact import exact_mean as exact_mean
    from asymptopia.theory.scorecard.hypotheses import TestResult as TestResult
    from asymptopia.theory.scorecard.inference import information_value as information_value
    from asymptopia.theory.scorecard.inference import jeffreys as jeffreys
    from asymptopia.theory.scorecard.inference import psi as psi
    from asymptopia.theory.scorecard.intervals import ConfidenceInterval as ConfidenceInterval
    from asymptopia.theory.scorecard.results import IVResult as IVResult
    from asymptopia.theory.scorecard.results import PSIResult as PSIResult
    from asymptopia.theory.scorecard.status import ScorecardStatus as ScorecardStatus
    from asymptopia.theory.scorecard.woe import WoETable as WoETable
    from asymptopia.theory.scorecard.woe import woe_table as woe_table

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "counting": ("count_table",),
        "data": ("Screen", "iv_screen_frame", "psi_screen_frame"),
        "design": ("SampleSize", "psi_critical_value", "psi_power", "psi_sample_size", "threshold_false_alarm"),
        "exact": ("exact_mean",),
        "hypotheses": ("TestResult",),
        "inference": ("information_value", "jeffreys", "psi"),
        "intervals": ("ConfidenceInterval",),
        "results": ("IVResult", "PSIResult"),
        "status": ("ScorecardStatus",),
        "woe": ("WoETable", "woe_table"),
    },
)
