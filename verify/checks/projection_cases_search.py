"""Cases of the random search for pairs of laws below the sharp bound, and of the bootstrap's coverage."""

from __future__ import annotations

import math

from scipy.special import ndtri

from asymptopia.theory.projection.bayes import min_kl_given_bayes_error, min_kl_given_tv
from asymptopia.theory.projection.misspecified import poisson_from_counts
from asymptopia.verify.checks.projection_laws import best_share, bootstrap_coverage
from asymptopia.verify.checks.scorecard_cases import MILLION
from asymptopia.verify.checks.softmax_cases import never
from asymptopia.verify.engine.check import Case, Mutant, Target

RESAMPLES = 40
LEVEL = 0.95


def attained(miss: float, wrong: str) -> Target:
    """Return the target of the pair that attains the bound."""
    return Target(
        name="attained",
        statistic="attained",
        theory=1.0,
        delta=miss,
        delta_reason=f"the best pair is one pair, and attains the bound up to rounding: always, up to {miss:g}",
        sd=math.sqrt(miss),
        kind="proportion",
        mutants=(Mutant(name=wrong, statistic="attained_more"),),
    )


def search_case(name: str, prior: float, error: float, bound: float, other: float, changed: str, miss: float) -> Case:
    """Return the case of random pairs of a prior and a Bayes error; `other` is a changed bound, if it is above."""
    wrong = {"1.01 of the bound": "below_more"}
    if other > bound:
        wrong[changed] = "below_other"
    params = (prior, error, best_share(prior, error), 0.05, bound, 1.01 * bound, other)
    targets = (never("below", "below", miss, wrong, "pairs"), attained(miss, "1.01 of the bound"))
    return Case(name=name, params=params, targets=targets, budget=MILLION)


def variation_case(v: float, miss: float) -> Case:
    """Return the case of the least divergence at a total variation, priors being equal."""
    bound = float(min_kl_given_tv(v))
    other = 2 * v**2 + v**4 / 2
    return search_case(f"V={v:g}", 0.5, (1 - v) / 2, bound, other, "2 V^2 + V^4/2", miss)


def prior_case(error: float, prior: float, miss: float) -> Case:
    """Return the case of the least divergence at a Bayes error, of unequal priors."""
    bound = float(min_kl_given_bayes_error(error, prior))
    other = float(min_kl_given_bayes_error(error, 1 - prior))
    return search_case(f"error={error:g},prior={prior:g}", prior, error, bound, other, "priors exchanged", miss)


def bootstrap_case(probs: tuple[float, float, float], n: int, fine: float) -> Case:
    """Return the case of the coverage of c2 of the Poisson model, counts being 0, 1 and 2."""
    quantile = float(ndtri(0.5 + LEVEL / 2))
    theory = bootstrap_coverage(probs, n, RESAMPLES, quantile)
    mean = probs[1] + 2 * probs[2]
    variance, third = (sum(p * (x - mean) ** k for x, p in enumerate(probs)) for k in (2, 3))
    c2 = float(poisson_from_counts(mean, variance, third).c2)
    delta = 0.01 * max(fine, 0.5)
    target = Target(
        name="covers",
        statistic="covers",
        theory=theory,
        delta=delta,
        delta_reason=(
            f"samples and resamples enumerated, at nominal {LEVEL:g}; the spread of {RESAMPLES} resamples is taken as "
            f"a chi-square, about 0.001: {delta:g}"
        ),
        sd=math.sqrt(theory * (1 - theory)),
        kind="proportion",
        mutants=(
            Mutant(name="standard error of the first coefficient", statistic="covers_first"),
            Mutant(name="standard error of half the sample", statistic="covers_half"),
        ),
    )
    params = (float(n), probs[1] / (probs[0] + probs[1]), probs[2], float(RESAMPLES), quantile, c2)
    name = f"probs={','.join(f'{p:g}' for p in probs)},n={n}"
    return Case(name=name, params=params, targets=(target,), budget=4 * MILLION)
