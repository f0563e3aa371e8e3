"""Exponential families: statistic, log-partition function, cumulants to the fourth, projection, samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asymptopia.theory._core.lazy import attach

if TYPE_CHECKING:
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

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "categorical": ("Multinomial",),
        "discrete": (
            "Bernoulli",
            "NegativeBinomial",
            "Poisson",
        ),
        "finite": ("FiniteSupport",),
        "gammas": ("Gamma",),
        "ising": ("Ising",),
        "loglinear": ("LogLinear",),
        "multivariate": ("MultivariateNormal",),
        "normal": ("Normal",),
        "positive": (
            "Exponential",
            "InverseGaussian",
        ),
        "protocol": ("ExponentialFamily",),
        "quadratic": (
            "QuadraticExponential",
            "QuadraticReference",
            "quadratic_exponential",
            "quadratic_reference",
        ),
        "sampled": ("SampledFamily",),
        "simplex": (
            "Beta",
            "Dirichlet",
        ),
    },
)
