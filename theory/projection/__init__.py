"""Is n large enough for p parameters: the risk of the maximum likelihood estimator in exponential families.

The risk is KL(theta_star || theta_hat), the divergence from the information projection of the truth to the
fitted model, in nats; its expansion in 1/n holds whether the model is right or wrong. Logarithms are natural.

* Data: `pn_criterion`, `pn_report`, `bootstrap_criterion`, `takeuchi_penalty`, `second_order_aic`.
* Theory: `kl_risk_expansion` to second or third order, `kl_risk_exact` at finite n, `closed_form`.
* Bayes error: `kl_threshold`, `bayes_error_bounds`, `min_kl_given_tv`, `max_tv_given_kl`, `min_kl_given_bayes_error`.
* Families: `Normal`, `MultivariateNormal`, `Gamma`, `Ising`, `LogLinear`, `SampledFamily` and others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
    from asymptopia.theory.projection.bayes import BayesErrorBounds as BayesErrorBounds
    from asymptopia.theory.projection.bayes import bayes_error_bounds as bayes_error_bounds
    from asymptopia.theory.projection.bayes import kl_threshold as kl_threshold
    from asymptopia.theory.projection.bayes import max_tv_given_kl as max_tv_given_kl
    from asymptopia.theory.projection.bayes import min_kl_given_bayes_error as min_kl_given_bayes_error
    from asymptopia.theory.projection.bayes import min_kl_given_tv as min_kl_given_tv
    from asymptopia.theory.projection.bootstrap import CriterionBootstrap as CriterionBootstrap
    from asymptopia.theory.projection.bootstrap import bootstrap_criterion as bootstrap_criterion
    from asymptopia.theory.projection.closed_forms import closed_form as closed_form
    from asymptopia.theory.projection.coefficients import ClosedForm as ClosedForm
    from asymptopia.theory.projection.contractions import from_cumulants as from_cumulants
    from asymptopia.theory.projection.contractions import from_samples as from_samples
    from asymptopia.theory.projection.contractions import from_support as from_support
    from asymptopia.theory.projection.criterion import pn_criterion as pn_criterion
    from asymptopia.theory.projection.criterion_result import PNCriterion as PNCriterion
    from asymptopia.theory.projection.data import PNReport as PNReport
    from asymptopia.theory.projection.data import family_from_frame as family_from_frame
    from asymptopia.theory.projection.data import load_dataset as load_dataset
    from asymptopia.theory.projection.data import pn_report as pn_report
    from asymptopia.theory.projection.errors import MLEDoesNotExistError as MLEDoesNotExistError
    from asymptopia.theory.projection.errors import NotMinimalError as NotMinimalError
    from asymptopia.theory.projection.exact_result import ExactRisk as ExactRisk
    from asymptopia.theory.projection.exact_risk import kl_risk_exact as kl_risk_exact
    from asymptopia.theory.projection.expansion import kl_risk_expansion as kl_risk_expansion
    from asymptopia.theory.projection.families.categorical import Multinomial as Multinomial
    from asymptopia.theory.projection.families.discrete import Bernoulli as Bernoulli
    from asymptopia.theory.projection.families.discrete import NegativeBinomial as NegativeBinomial
    from asymptopia.theory.projection.families.discrete import Poisson as Poisson
    from asymptopia.theory.projection.families.finite import FiniteSupport as FiniteSupport
    from asymptopia.theory.projection.families.gammas import Gamma as Gamma
    from asymptopia.theory.projection.families.ising import Ising as Ising
    from asymptopia.theory.projection.families.loglinear import LogLinear as LogLinear
    from asymptopia.theory.projection.families.multivariate import MultivariateNormal as MultivariateNormal
    from asymptopia.theory.projection.families.normal import Normal as Normal
    from asymptopia.theory.projection.families.positive import Exponential as Exponential
    from asymptopia.theory.projection.families.positive import InverseGaussian as InverseGaussian
    from asymptopia.theory.projection.families.protocol import ExponentialFamily as ExponentialFamily
    from asymptopia.theory.projection.families.quadratic import QuadraticExponential as QuadraticExponential
    from asymptopia.theory.projection.families.quadratic import QuadraticReference as QuadraticReference
    from asymptopia.theory.projection.families.quadratic import quadratic_exponential as quadratic_exponential
    from asymptopia.theory.projection.families.quadratic import quadratic_reference as quadratic_reference
    from asymptopia.theory.projection.families.sampled import SampledFamily as SampledFamily
    from asymptopia.theory.projection.families.simplex import Beta as Beta
    from asymptopia.theory.projection.families.simplex import Dirichlet as Dirichlet
    from asymptopia.theory.projection.information import SecondOrderAIC as SecondOrderAIC
    from asymptopia.theory.projection.information import TakeuchiPenalty as TakeuchiPenalty
    from asymptopia.theory.projection.information import second_order_aic as second_order_aic
    from asymptopia.theory.projection.information import takeuchi_penalty as takeuchi_penalty
    from asymptopia.theory.projection.invariants import Contractions as Contractions
    from asymptopia.theory.projection.invariants import Rows as Rows
    from asymptopia.theory.projection.misspecified import exponential_from_gamma as exponential_from_gamma
    from asymptopia.theory.projection.misspecified import independent_binary as independent_binary
    from asymptopia.theory.projection.misspecified import mardia_trace as mardia_trace
    from asymptopia.theory.projection.misspecified import normal_from_moments as normal_from_moments
    from asymptopia.theory.projection.misspecified import poisson_from_counts as poisson_from_counts
    from asymptopia.theory.projection.misspecified import (
        poisson_from_negative_binomial as poisson_from_negative_binomial,
    )
    from asymptopia.theory.projection.risk_result import RiskExpansion as RiskExpansion
    from asymptopia.theory.projection.status import ProjectionStatus as ProjectionStatus
    from asymptopia.theory.projection.truths import Truth as Truth
    from asymptopia.theory.projection.truths import resolve_truth as resolve_truth

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bayes": (
            "BayesErrorBounds",
            "bayes_error_bounds",
            "kl_threshold",
            "max_tv_given_kl",
            "min_kl_given_bayes_error",
            "min_kl_given_tv",
        ),
        "bootstrap": (
            "CriterionBootstrap",
            "bootstrap_criterion",
        ),
        "closed_forms": ("closed_form",),
        "coefficients": ("ClosedForm",),
        "contractions": (
            "from_cumulants",
            "from_samples",
            "from_support",
        ),
        "criterion": ("pn_criterion",),
        "criterion_result": ("PNCriterion",),
        "data": (
            "PNReport",
            "family_from_frame",
            "load_dataset",
            "pn_report",
        ),
        "errors": (
            "MLEDoesNotExistError",
            "NotMinimalError",
        ),
        "exact_result": ("ExactRisk",),
        "exact_risk": ("kl_risk_exact",),
        "expansion": ("kl_risk_expansion",),
        "families.categorical": ("Multinomial",),
        "families.discrete": (
            "Bernoulli",
            "NegativeBinomial",
            "Poisson",
        ),
        "families.finite": ("FiniteSupport",),
        "families.gammas": ("Gamma",),
        "families.ising": ("Ising",),
        "families.loglinear": ("LogLinear",),
        "families.multivariate": ("MultivariateNormal",),
        "families.normal": ("Normal",),
        "families.positive": (
            "Exponential",
            "InverseGaussian",
        ),
        "families.protocol": ("ExponentialFamily",),
        "families.quadratic": (
            "QuadraticExponential",
            "QuadraticReference",
            "quadratic_exponential",
            "quadratic_reference",
        ),
        "families.sampled": ("SampledFamily",),
        "families.simplex": (
            "Beta",
            "Dirichlet",
        ),
        "information": (
            "SecondOrderAIC",
            "TakeuchiPenalty",
            "second_order_aic",
            "takeuchi_penalty",
        ),
        "invariants": (
            "Contractions",
            "Rows",
        ),
        "misspecified": (
            "exponential_from_gamma",
            "independent_binary",
            "mardia_trace",
            "normal_from_moments",
            "poisson_from_counts",
            "poisson_from_negative_binomial",
        ),
        "risk_result": ("RiskExpansion",),
        "status": ("ProjectionStatus",),
        "truths": (
            "Truth",
            "resolve_truth",
        ),
    },
)
