"""Second-order information criteria: exact optimism, statsmodels' AIC and AICc, likelihoods, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory.projection.criterion import pn_criterion
from asymptopia.theory.projection.families import (
    Bernoulli,
    Beta,
    Dirichlet,
    Exponential,
    FiniteSupport,
    Gamma,
    InverseGaussian,
    Multinomial,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    SampledFamily,
)
from asymptopia.theory.projection.families.ising import Ising
from asymptopia.theory.projection.information import (
    SecondOrderAIC,
    TakeuchiPenalty,
    penalty_at,
    second_order_aic,
    takeuchi_penalty,
)
from asymptopia.theory.projection.likelihood import log_likelihood
from asymptopia.theory.projection.plugin import Sample, plug_in
from asymptopia.theory.projection.status import ProjectionStatus

POINTS, PROBS = np.array([-1.0, 0.0, 2.0]), np.array([0.3, 0.45, 0.25])


def enumerate_optimism(n: int) -> tuple[float, float, float]:
    """Return exact mean optimism, mean corrected penalty and mean first term of the normal model; times 1, n**0."""
    i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    counts = np.stack([i, j, n - i - j], axis=-1).reshape(-1, 3).astype(float)
    counts = counts[(counts[:, 2] >= 0) & (counts.max(axis=1) < n)]
    logs = stats.multinomial.logpmf(counts, n, PROBS)
    weights = np.exp(logs) / np.exp(logs).sum()
    rows = np.column_stack([POINTS, POINTS**2])
    found = np.zeros((counts.shape[0], 3))
    for at, count in enumerate(counts):
        used = count > 0
        one = plug_in(Normal(), Sample(rows[used], count[used]))
        assert one.contractions is not None
        # in-sample less out-of-sample mean log likelihood is theta_hat (xbar - eta)
        optimism = one.theta @ (count @ rows / n - PROBS @ rows)
        first = one.contractions.t0 / n
        found[at] = optimism, first + one.contractions.t1 / (2 * n**2), first
    mean = weights @ found
    return tuple(mean.tolist())  # type: ignore[return-value]


def test_corrected_optimism_is_unbiased_to_third_order() -> None:
    scaled = []
    for n in (50, 100):
        exact, corrected, first = enumerate_optimism(n)
        scaled.append((n**2 * (corrected - exact), n**2 * (first - exact), n**2 * (exact - 1.5226757369614513 / n)))
    first, second = np.array(scaled)
    limit = 2 * second - first
    assert limit[0] == pytest.approx(0.0, abs=0.15)
    # what the first term alone misses is t1 / 2
    assert limit[1] == pytest.approx(-3.69855667134579 / 2, abs=0.15)
    # the exact optimism has the coefficient of the specification
    assert limit[2] == pytest.approx(6.6324268180439220284, abs=0.3)


def test_terms() -> None:
    x = np.random.default_rng(0).gamma(4.0, size=300)
    found = takeuchi_penalty(x, Normal())
    criterion = pn_criterion(x, Normal())
    c = criterion.contractions
    assert c is not None
    assert found.first == pytest.approx(criterion.t0 / 300, rel=1e-12)
    assert found.second == pytest.approx(c.t1 / (2 * 300**2), rel=1e-12)
    loglik = stats.norm(x.mean(), x.std()).logpdf(x).sum()
    assert found.loglik == pytest.approx(loglik, rel=1e-12)
    assert found.value == pytest.approx(-2 * loglik + 600 * (found.first + found.second), rel=1e-12)
    assert found.tic == pytest.approx(-2 * loglik + 2 * criterion.t0, rel=1e-12)
    assert found.aic == pytest.approx(-2 * loglik + 4, rel=1e-12)
    plain = takeuchi_penalty(x, Normal(), bias_correct=False)
    assert plain.second == pytest.approx((-c.t1 + c.t21 + 2 * c.t22 - c.t31) / (2 * 300**2), rel=1e-12)
    assert penalty_at(criterion, Normal(), x) == found
    first = pn_criterion(x, Normal(), order=1)
    assert penalty_at(first, Normal(), x).second == 0.0
    assert takeuchi_penalty(x, Normal(), loglik=-10.0).value == pytest.approx(20 + 600 * found.penalty, rel=1e-12)


def test_penalty_of_normal_laws_is_unbiased() -> None:
    # exact optimism 2 / (n - 3); simulated with the closed form of both terms
    n, repeats = 40, 1500
    x = np.random.default_rng(2).standard_normal((repeats, n))
    mean = np.mean([takeuchi_penalty(row, Normal(), loglik=0.0).penalty for row in x])
    se = 0.004 / math.sqrt(repeats) * 10
    assert mean == pytest.approx(2 / (n - 3), abs=4 * se)


@pytest.mark.parametrize("n", [20, 50, 200])
def test_aicc_of_statsmodels(n: int) -> None:
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools.eval_measures import aic, aicc

    x = np.random.default_rng(n).normal(3.0, 2.0, n)
    loglik = OLS(x, np.ones(n)).fit().llf
    found = second_order_aic(loglik, Normal(), n=n)
    assert found.loglik == pytest.approx(
        log_likelihood(Normal(), Normal().mle([x.mean(), (x**2).mean()]), x), rel=1e-12
    )
    assert found.aic == pytest.approx(aic(loglik, n, 2), rel=1e-14)
    # AICc has the whole series of 4 n / (n - 3): 4 + 12/n + 36/n**2 + ...
    gap = aicc(loglik, n, 2) - found.value
    assert gap == pytest.approx(36 / (n * (n - 3)), rel=1e-9)


def test_poisson_differs_from_aicc() -> None:
    from statsmodels.discrete.discrete_model import Poisson as Regression
    from statsmodels.tools.eval_measures import aicc

    x = np.random.default_rng(0).poisson(2.0, 60)
    fit = Regression(x, np.ones(60)).fit(disp=0)
    theta = Poisson().mle([x.mean()])
    found = second_order_aic(fit.llf, Poisson(), theta, n=60)
    assert found.aic == pytest.approx(fit.aic, rel=1e-12)
    assert found.second == pytest.approx(1 / (60 * x.mean()), rel=1e-12)
    assert aicc(fit.llf, 60, 1) - fit.aic == pytest.approx(2 * 2 / 58, rel=1e-9)
    assert log_likelihood(Poisson(), theta, x) == pytest.approx(fit.llf, rel=1e-12)


@pytest.mark.parametrize(("d", "n"), [(1, 30), (2, 40), (3, 50), (5, 100)])
def test_multivariate_normal(d: int, n: int) -> None:
    found = second_order_aic(0.0, MultivariateNormal(d), n=n)
    p = d * (d + 3) // 2
    assert found.p == p
    assert found.second == pytest.approx(2 * p * (d + 2) / n, rel=1e-11)
    # the exact penalty 2 n p / (n - d - 2) has the rest of the series
    exact = 2 * n * p / (n - d - 2)
    assert exact - found.penalty == pytest.approx(2 * p * (d + 2) ** 2 / (n * (n - d - 2)), rel=1e-9)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_known_mean(d: int) -> None:
    found = second_order_aic(0.0, MultivariateNormal(d, known_mean=True), n=100)
    p = d * (d + 1) // 2
    # exact optimism p / (n - d - 1), by E tr S^-1 = n d / (n - d - 1)
    assert found.second == pytest.approx(2 * p * (d + 1) / 100, rel=1e-11)


def test_other_families() -> None:
    q = 0.3
    found = second_order_aic(0.0, Bernoulli(), Bernoulli().natural(q), n=10)
    assert found.second == pytest.approx(2 * (0.5 * (1 / q + 1 / (1 - q)) - 1) / 10, rel=1e-12)
    assert second_order_aic(0.0, Exponential(), n=10).second == pytest.approx(2 / 10, rel=1e-12)
    assert second_order_aic(0.0, Gamma(known_shape=4.0), n=10).second == pytest.approx(2 / 40, rel=1e-12)
    assert (found.rho23_sq, found.rho13_sq) == (pytest.approx(found.rho13_sq), found.rho13_sq)


def test_small_sample() -> None:
    assert second_order_aic(0.0, Normal(), n=9).status is ProjectionStatus.SMALL_SAMPLE
    assert second_order_aic(0.0, Normal(), n=11).status is ProjectionStatus.OK
    x = np.array([0.1, 0.2, 0.15, 9.0, 0.12])
    assert takeuchi_penalty(x, Exponential()).status is ProjectionStatus.SMALL_SAMPLE


def test_round_trips() -> None:
    x = np.random.default_rng(0).exponential(size=30)
    first, second = takeuchi_penalty(x, Exponential()), second_order_aic(-3.0, Exponential(), n=30)
    assert TakeuchiPenalty.from_json(first.to_json()) == first
    assert SecondOrderAIC.from_json(second.to_json()) == second
    assert "aic2" in second.summary()
    assert "penalty" in first.summary()
    assert len(first.to_frame()) == len(second.to_frame()) == 1


RNG = np.random.default_rng(11)
CATEGORIES = RNG.integers(0, 3, 40)
SPINS = RNG.integers(0, 2, (60, 2))
LIKELIHOODS = [
    (Normal(), (0.5, 2.0), RNG.normal(size=20), lambda x: stats.norm(0.5, math.sqrt(2)).logpdf(x)),
    (Exponential(), (1.5,), RNG.exponential(size=20), lambda x: stats.expon(scale=1 / 1.5).logpdf(x)),
    (Gamma(), (2.5, 1.5), RNG.gamma(2.0, size=20), lambda x: stats.gamma(2.5, scale=1 / 1.5).logpdf(x)),
    (Gamma(known_shape=2.5), (1.5,), RNG.gamma(2.0, size=20), lambda x: stats.gamma(2.5, scale=1 / 1.5).logpdf(x)),
    (InverseGaussian(), (2.0, 3.0), RNG.wald(2.0, 3.0, size=20), lambda x: stats.invgauss(2 / 3, scale=3).logpdf(x)),
    (Beta(), (2.0, 3.0), RNG.beta(2, 3, size=20), lambda x: stats.beta(2, 3).logpdf(x)),
    (Dirichlet(3), ([1.0, 2.0, 3.0],), RNG.dirichlet([1, 2, 3], 20), lambda x: stats.dirichlet([1, 2, 3]).logpdf(x.T)),
    (Poisson(), (2.0,), RNG.poisson(2, 20), lambda x: stats.poisson(2).logpmf(x)),
    (NegativeBinomial(1.5), (0.4,), RNG.poisson(1, 20), lambda x: stats.nbinom(1.5, 0.6).logpmf(x)),
    (Bernoulli(), (0.3,), RNG.integers(0, 2, 20), lambda x: stats.bernoulli(0.3).logpmf(x)),
    (Multinomial(3), ([0.2, 0.3, 0.5],), CATEGORIES, lambda x: np.log(np.array([0.2, 0.3, 0.5]))[x]),
    (
        MultivariateNormal(2),
        ([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]]),
        RNG.normal(size=(20, 2)),
        lambda x: stats.multivariate_normal([1, 2], [[2, 0.5], [0.5, 1]]).logpdf(x),
    ),
    (
        FiniteSupport([0.0, 1.0, 2.0], log_base=np.log([1.0, 2.0, 4.0])),
        (np.array([1.0, 2.0, 4.0]) / 7,),
        CATEGORIES,
        lambda x: np.log(np.array([1.0, 2.0, 4.0]) / 7)[x],
    ),
]


@pytest.mark.parametrize(
    ("family", "usual", "data", "density"), LIKELIHOODS, ids=lambda item: getattr(item, "name", "")
)
def test_likelihoods(family: Any, usual: Any, data: Any, density: Any) -> None:
    theta = family.natural(*usual)
    assert log_likelihood(family, theta, data) == pytest.approx(density(data).sum(), rel=1e-10)


def test_known_mean_likelihood() -> None:
    data = RNG.normal(size=(20, 2))
    for known, mean in ((True, [0.0, 0.0]), ([1.0, -1.0], [1.0, -1.0])):
        family = MultivariateNormal(2, known_mean=known)
        theta = family.natural(cov=[[2.0, 0.5], [0.5, 1.0]])
        expected = stats.multivariate_normal(mean, [[2, 0.5], [0.5, 1]]).logpdf(data).sum()
        assert log_likelihood(family, theta, data) == pytest.approx(expected, rel=1e-11)


def test_ising_likelihood_is_of_the_cells() -> None:
    family = Ising(2)
    shares = np.bincount(SPINS @ [2, 1], minlength=4) / 60
    data = 2 * SPINS - 1
    theta = family.mle(family.statistic(data).mean(axis=0))
    # two spins and their pair: saturated, so that the fit is the table
    assert log_likelihood(family, theta, data) == pytest.approx(60 * (shares @ np.log(shares)), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: second_order_aic(math.nan, Normal(), n=5), ValueError, "loglik"),
        (lambda: second_order_aic(math.inf, Normal(), n=5), ValueError, "loglik"),
        (lambda: second_order_aic(0.0, Normal(), n=0), ValueError, "n is 0"),
        (lambda: second_order_aic(0.0, Normal(), n=5.0), TypeError, "n is 5.0"),  # type: ignore[arg-type]
        (lambda: second_order_aic(0.0, Poisson(), n=5), TypeError, "theta is missing"),
        (lambda: second_order_aic(0.0, Poisson(), [1.0, 2.0], n=5), ValueError, "theta.shape"),
        (lambda: second_order_aic(0.0, "normal", n=5), TypeError, "family is of type str"),  # type: ignore[arg-type]
        (lambda: second_order_aic(0.0, Normal, n=5), TypeError, "is the class Normal"),  # type: ignore[arg-type]
        (lambda: takeuchi_penalty([1.0, 2.0, 4.0], "normal"), TypeError, "type str"),  # type: ignore[arg-type]
        (lambda: takeuchi_penalty([1.0, 2.0, 4.0], Normal), TypeError, "class Normal"),  # type: ignore[arg-type]
        (lambda: takeuchi_penalty([1.0, 2.0], Normal()), ValueError, "at least 3"),
        (lambda: takeuchi_penalty([1.0, 2.0, 3.0], Normal(), loglik="a"), TypeError, "loglik"),  # type: ignore[arg-type]
    ],
)
def test_refusals(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_summary_of_the_penalty_has_all_of_its_parts() -> None:
    # x = 1, 2, 4 and 5: mean 3, variance 10/3, third cumulant 0, so that t0 = 10/27 and t1 = 0
    x = [1.0, 2.0, 4.0, 5.0]
    loglik = -4 * math.log(3.0) - 4
    lines = dict(line.strip().split("  ", 1) for line in takeuchi_penalty(x, Exponential()).summary().splitlines()[1:])
    lines = {label: text.strip() for label, text in lines.items()}
    assert lines["penalty"].startswith(f"{10 / 108:.6g} + 0 = {10 / 108:.6g} nats an observation (bias")
    for label in ("tic", "second-order tic"):
        assert float(lines[label]) == pytest.approx(-2 * loglik + 20 / 27, rel=1e-9)
    assert float(lines["aic"]) == pytest.approx(-2 * loglik + 2, rel=1e-9)
    assert float(lines["t0"].split()[0]) == pytest.approx(10 / 27, rel=1e-5)
    assert lines["model"] == "Exponential, p = 1, n = 4"


def test_no_likelihood_without_a_normaliser() -> None:
    family = SampledFamily(
        lambda x: np.asarray(x, dtype=float)[:, None],
        lambda theta, size, rng: rng.poisson(np.exp(theta[0]), size),
        dim=1,
        draws=20_000,
    )
    x = np.random.default_rng(0).poisson(3.0, size=200)
    found = takeuchi_penalty(x, family)
    assert (found.value, found.tic, found.aic, found.loglik) == (None, None, None, None)
    assert found.penalty == pytest.approx(takeuchi_penalty(x, Poisson()).penalty, rel=0.1)
    assert takeuchi_penalty(x, family, loglik=-300.0).value == pytest.approx(600 + 400 * found.penalty)
    assert TakeuchiPenalty.from_json(found.to_json()) == found
    assert "penalty" in found.summary()
