"""Inference for Weight of Evidence, Information Value, Population Stability Index and other divergences of bin counts.

Information Value and Population Stability Index are one functional, the Jeffreys divergence
``J(P, Q) = sum (p - q) log(p / q)`` of two vectors of bin shares, in nats.

* Estimates from counts, with standard error, bias, test and interval: `information_value`, `psi`, `divergence` (eight
  f-divergences), `woe_table`, `discrimination` (AUC, Gini, KS), `conditional_iv`; `survey_table` makes their input
  from weighted or clustered rows.
* Tests and planning: `homogeneity_test` (asymptotic, exact, Monte Carlo), `psi_equivalence_test`,
  `psi_critical_value`, `psi_power`, `psi_sample_size`, `threshold_false_alarm`; laws `weighted_chi2`,
  `second_order_law`, `exact_law`.
* Many features or periods: `iv_screen`, `screen_table`, `iv_screen_frame`, `psi_screen_frame`, `drift_monitor`.
* Binning: `prebin`, `optimal_bins`, `fairness_front`; models: `woe_regression`, `scorecard_points`, and `WoEEncoder`,
  which needs scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.adjustment import adjust_pvalues as adjust_pvalues
    from asymptopia.theory.scorecard.binning import BinningResult as BinningResult
    from asymptopia.theory.scorecard.binning import Prebins as Prebins
    from asymptopia.theory.scorecard.binning import optimal_bins as optimal_bins
    from asymptopia.theory.scorecard.binning import prebin as prebin
    from asymptopia.theory.scorecard.conditional import ConditionalIVResult as ConditionalIVResult
    from asymptopia.theory.scorecard.conditional import conditional_iv as conditional_iv
    from asymptopia.theory.scorecard.counting import count_table as count_table
    from asymptopia.theory.scorecard.data import Screen as Screen
    from asymptopia.theory.scorecard.data import iv_screen_frame as iv_screen_frame
    from asymptopia.theory.scorecard.data import psi_screen_frame as psi_screen_frame
    from asymptopia.theory.scorecard.design import SampleSize as SampleSize
    from asymptopia.theory.scorecard.design import psi_critical_value as psi_critical_value
    from asymptopia.theory.scorecard.design import psi_equivalence_power as psi_equivalence_power
    from asymptopia.theory.scorecard.design import psi_equivalence_sample_size as psi_equivalence_sample_size
    from asymptopia.theory.scorecard.design import psi_power as psi_power
    from asymptopia.theory.scorecard.design import psi_sample_size as psi_sample_size
    from asymptopia.theory.scorecard.design import threshold_false_alarm as threshold_false_alarm
    from asymptopia.theory.scorecard.encoder import WoEEncoder as WoEEncoder
    from asymptopia.theory.scorecard.enumeration import ExactLaw as ExactLaw
    from asymptopia.theory.scorecard.enumeration import exact_law as exact_law
    from asymptopia.theory.scorecard.exact import exact_mean as exact_mean
    from asymptopia.theory.scorecard.fairness import FrontPoint as FrontPoint
    from asymptopia.theory.scorecard.fairness import FrontResult as FrontResult
    from asymptopia.theory.scorecard.fairness import fairness_front as fairness_front
    from asymptopia.theory.scorecard.fdivergence import DivergenceResult as DivergenceResult
    from asymptopia.theory.scorecard.fdivergence import divergence as divergence
    from asymptopia.theory.scorecard.homogeneity import HomogeneityResult as HomogeneityResult
    from asymptopia.theory.scorecard.homogeneity import homogeneity_test as homogeneity_test
    from asymptopia.theory.scorecard.homogeneity import psi_equivalence_test as psi_equivalence_test
    from asymptopia.theory.scorecard.hypotheses import TestResult as TestResult
    from asymptopia.theory.scorecard.inference import information_value as information_value
    from asymptopia.theory.scorecard.inference import jeffreys as jeffreys
    from asymptopia.theory.scorecard.inference import psi as psi
    from asymptopia.theory.scorecard.intervals import ConfidenceInterval as ConfidenceInterval
    from asymptopia.theory.scorecard.logistic import ScorecardPoints as ScorecardPoints
    from asymptopia.theory.scorecard.logistic import WoERegression as WoERegression
    from asymptopia.theory.scorecard.logistic import scorecard_points as scorecard_points
    from asymptopia.theory.scorecard.logistic import woe_regression as woe_regression
    from asymptopia.theory.scorecard.mixtures import WeightedChi2 as WeightedChi2
    from asymptopia.theory.scorecard.mixtures import weighted_chi2 as weighted_chi2
    from asymptopia.theory.scorecard.monitoring import MonitorResult as MonitorResult
    from asymptopia.theory.scorecard.monitoring import drift_monitor as drift_monitor
    from asymptopia.theory.scorecard.posterior import posterior_mean as posterior_mean
    from asymptopia.theory.scorecard.posterior import posterior_sample as posterior_sample
    from asymptopia.theory.scorecard.results import IVResult as IVResult
    from asymptopia.theory.scorecard.results import PSIResult as PSIResult
    from asymptopia.theory.scorecard.roc import DiscriminationResult as DiscriminationResult
    from asymptopia.theory.scorecard.roc import discrimination as discrimination
    from asymptopia.theory.scorecard.screening import ScreenResult as ScreenResult
    from asymptopia.theory.scorecard.screening import iv_screen as iv_screen
    from asymptopia.theory.scorecard.screening import screen_table as screen_table
    from asymptopia.theory.scorecard.secondorder import SecondOrderLaw as SecondOrderLaw
    from asymptopia.theory.scorecard.secondorder import second_order_law as second_order_law
    from asymptopia.theory.scorecard.separation import auc_from_divergence as auc_from_divergence
    from asymptopia.theory.scorecard.separation import divergence_from_auc as divergence_from_auc
    from asymptopia.theory.scorecard.status import ScorecardStatus as ScorecardStatus
    from asymptopia.theory.scorecard.survey import SurveyTable as SurveyTable
    from asymptopia.theory.scorecard.survey import survey_table as survey_table
    from asymptopia.theory.scorecard.woe import WoETable as WoETable
    from asymptopia.theory.scorecard.woe import woe_table as woe_table

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "adjustment": ("adjust_pvalues",),
        "binning": (
            "BinningResult",
            "Prebins",
            "optimal_bins",
            "prebin",
        ),
        "conditional": (
            "ConditionalIVResult",
            "conditional_iv",
        ),
        "counting": ("count_table",),
        "data": (
            "Screen",
            "iv_screen_frame",
            "psi_screen_frame",
        ),
        "design": (
            "SampleSize",
            "psi_critical_value",
            "psi_equivalence_power",
            "psi_equivalence_sample_size",
            "psi_power",
            "psi_sample_size",
            "threshold_false_alarm",
        ),
        "encoder": ("WoEEncoder",),
        "enumeration": (
            "ExactLaw",
            "exact_law",
        ),
        "exact": ("exact_mean",),
        "fairness": (
            "FrontPoint",
            "FrontResult",
            "fairness_front",
        ),
        "fdivergence": (
            "DivergenceResult",
            "divergence",
        ),
        "homogeneity": (
            "HomogeneityResult",
            "homogeneity_test",
            "psi_equivalence_test",
        ),
        "hypotheses": ("TestResult",),
        "inference": (
            "information_value",
            "jeffreys",
            "psi",
        ),
        "intervals": ("ConfidenceInterval",),
        "logistic": (
            "ScorecardPoints",
            "WoERegression",
            "scorecard_points",
            "woe_regression",
        ),
        "mixtures": (
            "WeightedChi2",
            "weighted_chi2",
        ),
        "monitoring": (
            "MonitorResult",
            "drift_monitor",
        ),
        "posterior": (
            "posterior_mean",
            "posterior_sample",
        ),
        "results": (
            "IVResult",
            "PSIResult",
        ),
        "roc": (
            "DiscriminationResult",
            "discrimination",
        ),
        "screening": (
            "ScreenResult",
            "iv_screen",
            "screen_table",
        ),
        "secondorder": (
            "SecondOrderLaw",
            "second_order_law",
        ),
        "separation": (
            "auc_from_divergence",
            "divergence_from_auc",
        ),
        "status": ("ScorecardStatus",),
        "survey": (
            "SurveyTable",
            "survey_table",
        ),
        "woe": (
            "WoETable",
            "woe_table",
        ),
    },
)
