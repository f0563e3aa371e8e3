"""Checks of the risk of the MLE in exponential families: the claims they could refute, and where they try."""

from __future__ import annotations

import math

from asymptopia.verify.checks import projection_cases as cases
from asymptopia.verify.checks import projection_cases_sample as samples
from asymptopia.verify.checks import projection_cases_search as search
from asymptopia.verify.checks import projection_cases_solve as solve
from asymptopia.verify.checks.projection_kernels import direct_statistics, sample_statistics
from asymptopia.verify.checks.projection_kernels_search import bootstrap_statistics, search_statistics
from asymptopia.verify.checks.projection_kernels_solve import fit_statistics, table_statistics
from asymptopia.verify.checks.scorecard_cases import FINENESS
from asymptopia.verify.checks.softmax_cases import MISS
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Profile

DIRECT = Kernel(direct_statistics, ("risk", "second", "optimism"))
SAMPLE = Kernel(sample_statistics, ("risk", "second", "bias", "corrected", "plain"))
FIT = Kernel(fit_statistics, ("risk", "second"))
TABLE = Kernel(table_statistics, ("missing", "risk", "counted", "second"))
SEARCH = Kernel(search_statistics, ("below", "below_more", "below_other", "attained", "attained_more"))
BOOTSTRAP = Kernel(bootstrap_statistics, ("covers", "covers_first", "covers_half"))


def exact_cases(profile: Profile) -> tuple[Case, ...]:
    """Return the cases of exact finite risks."""
    fine = FINENESS[profile]
    return (
        cases.exact_case(cases.normal_law(), 12, fine),
        cases.exact_case(cases.gamma_law(1.0), 12, fine),
        cases.exact_case(cases.gamma_law(2.5), 6, fine),
        cases.exact_case(cases.inverse_gaussian_law(0.5), 20, fine),
        cases.exact_case(cases.inverse_gaussian_law(2.0), 20, fine),
    )


def expansion_cases(profile: Profile) -> tuple[Case, ...]:
    """Return the cases of second coefficients with both control variates."""
    fine = FINENESS[profile]
    return (
        cases.expansion_case(cases.normal_law(), 0.4, fine),
        cases.expansion_case(cases.gamma_law(1.0), 0.4, fine),
        cases.expansion_case(cases.gamma_law(4.0), 0.4, fine),
        cases.expansion_case(cases.inverse_gaussian_law(0.5), 0.4, fine),
    )


def misspecified_cases(profile: Profile) -> tuple[Case, ...]:
    """Return the cases of truths outside the model."""
    fine = FINENESS[profile]
    return (
        samples.misspecified_case(samples.three_points(), 2.0, 1.0, fine),
        samples.misspecified_case(samples.normal_from_gamma(4.0), 2.0, 2.0, fine),
        samples.misspecified_case(samples.poisson_sample(2.0, 4.0), 1.0, 0.8, fine),
        samples.misspecified_case(samples.exponential_sample(2.0), 0.5, 0.4, fine),
    )


def optimism_cases(profile: Profile) -> tuple[Case, ...]:
    """Return the cases of in-sample less out-of-sample likelihood."""
    fine = FINENESS[profile]
    normal, gamma = cases.normal_law(), cases.gamma_law(4.0)
    return (
        cases.optimism_case(normal, 12, fine),
        cases.optimism_case(cases.multivariate_law(3), 15, fine),
        cases.optimism_case(cases.inverse_gaussian_law(0.5), 20, fine),
        cases.penalty_case(normal, 100, fine),
        cases.penalty_case(cases.multivariate_law(2), 100, fine),
        cases.penalty_case(gamma, 12, fine),
    )


CHECKS = (
    Check(
        id="projection.exact",
        statement="Risks at finite n of normal, gamma and inverse Gaussian laws are their closed forms",
        kernel=DIRECT,
        cases=exact_cases,
    ),
    Check(
        id="projection.expansion",
        statement="The second coefficient of the risk is (-8 t1 + 9 (t21 + 2 t22) - 9 t31)/24 for a truth in the model",
        kernel=DIRECT,
        cases=expansion_cases,
    ),
    Check(
        id="projection.misspecified",
        statement="Risk and second coefficient under a truth outside the model are exact sums and the same formula",
        kernel=SAMPLE,
        cases=misspecified_cases,
    ),
    Check(
        id="projection.families",
        statement="The second coefficient of gamma, beta and Dirichlet laws, all unknown; exact risk of gamma laws",
        kernel=FIT,
        cases=lambda profile: solve.fit_cases(FINENESS[profile]),
    ),
    Check(
        id="projection.multivariate",
        statement="Risk and optimism at finite n of multivariate normal laws are their closed forms",
        kernel=DIRECT,
        cases=lambda profile: tuple(
            cases.multivariate_case(cases.multivariate_law(d, known), n, FINENESS[profile])
            for d, n, known in ((2, 12, False), (3, 15, False), (4, 20, False), (2, 12, True))
        ),
    ),
    Check(
        id="projection.ising",
        statement="The second coefficient of the Ising model of three spins, for a truth in it and outside it",
        kernel=TABLE,
        cases=lambda profile: tuple(solve.ising_case(parity, FINENESS[profile]) for parity in (0.0, 0.2)),
    ),
    Check(
        id="projection.plug_in",
        statement="The plug-in t0 is biased by (A3 + A4/2)/n, and the estimate of the risk that takes it off is not",
        kernel=SAMPLE,
        cases=lambda profile: tuple(
            samples.plug_in_case(item, n, FINENESS[profile])
            for item, n in (
                (samples.exponential_sample(1.0), 40),
                (samples.exponential_sample(2.0), 40),
                (samples.three_points(), 100),
            )
        ),
    ),
    Check(
        id="projection.bootstrap",
        statement="Intervals of c2 by the bootstrap's standard error cover it as the enumeration says, near 95 %",
        kernel=BOOTSTRAP,
        cases=lambda profile: tuple(
            search.bootstrap_case(probs, n, FINENESS[profile])
            for probs, n in (((0.35, 0.4, 0.25), 40), ((0.5, 0.3, 0.2), 60))
        ),
    ),
    Check(
        id="projection.existence",
        statement="P(no MLE) of discrete laws, and the risk given that there is one, are the exact sums",
        kernel=TABLE,
        cases=lambda profile: (
            solve.cells_case((0.3, 0.7), 8, FINENESS[profile]),
            solve.cells_case((0.5, 0.3, 0.2), 9, FINENESS[profile]),
            solve.total_case(2.0, math.inf, 1, FINENESS[profile]),
            solve.total_case(1.5 * 0.3 / 0.7, 1.5, 6, FINENESS[profile]),
            solve.spins_existence_case(24, FINENESS[profile]),
        ),
    ),
    Check(
        id="projection.bayes",
        statement="No pair of laws has less divergence than the sharp bound at its Bayes error; two points attain it",
        kernel=SEARCH,
        cases=lambda profile: (
            *(search.variation_case(v, MISS[profile]) for v in (0.1, 0.3, 0.6, 0.9)),
            *(search.prior_case(0.2, prior, MISS[profile]) for prior in (0.3, 0.7)),
        ),
    ),
    Check(
        id="projection.optimism",
        statement="Mean log likelihood in the sample exceeds that out of it by p/(n - d - 2) for normal laws",
        kernel=DIRECT,
        cases=optimism_cases,
    ),
)
