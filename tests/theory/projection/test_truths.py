"""The truth as data, probabilities, moments or a distribution: its moments in closed form, and what is refused."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families.categorical import Multinomial
from asymptopia.theory.projection.families.discrete import Bernoulli, Poisson
from asymptopia.theory.projection.families.finite import FiniteSupport
from asymptopia.theory.projection.families.gammas import Gamma
from asymptopia.theory.projection.families.loglinear import LogLinear
from asymptopia.theory.projection.families.multivariate import MultivariateNormal
from asymptopia.theory.projection.families.normal import Normal
from asymptopia.theory.projection.families.positive import Exponential, InverseGaussian
from asymptopia.theory.projection.families.protocol import ExponentialFamily
from asymptopia.theory.projection.families.sampled import SampledFamily
from asymptopia.theory.projection.families.simplex import Beta, Dirichlet
from asymptopia.theory.projection.invariants import Rows
from asymptopia.theory.projection.misspecified import normal_from_moments
from asymptopia.theory.projection.status import ProjectionStatus
from asymptopia.theory.projection.truths import Truth, resolve_truth


def tensor(truth: Truth) -> np.ndarray:
    third = truth.third
    if not isinstance(third, Rows):
        return np.asarray(third)
    n = third.rows.shape[0]
    weights = np.full(n, 1 / n) if third.weights is None else third.weights
    return third.scale * np.einsum("a,ai,aj,ak->ijk", weights, third.rows, third.rows, third.rows)


def test_a_three_point_law_under_the_normal_family() -> None:
    found = kl_risk_expansion(Normal(), truth={-1.0: 0.3, 0.0: 0.45, 2.0: 0.25})
    assert found.c1 == pytest.approx(0.76133786848072562358, rel=1e-13)
    assert found.c2 == pytest.approx(5.1284266415056826459, rel=1e-12)
    assert found.optimism2 == pytest.approx(6.6324268180439220284, rel=1e-12)
    c = found.contractions
    wanted = 1.52267573696145, 3.69855667134579, 10.1187879535790, 8.90401633064412, 10.9634103074336
    np.testing.assert_allclose((c.t0, c.t1, c.t21, c.t22, c.t31), wanted, rtol=1e-12)


def test_poisson_under_a_negative_binomial() -> None:
    size, mean = 4, 2.0
    found = kl_risk_expansion(Poisson(), truth=stats.nbinom(size, size / (size + mean)))
    assert found.c1 == pytest.approx((mean + size) / (2 * size), rel=1e-12)
    assert found.c2 == pytest.approx(mean / (12 * size**2) + 1 / (2 * size) + 5 / (12 * mean), rel=1e-12)


def test_gamma_under_a_lognormal() -> None:
    found = kl_risk_expansion(Gamma(), truth=stats.lognorm(0.5))
    assert found.c1 == pytest.approx(1.13611, abs=5e-6)
    assert found.c2 == pytest.approx(5.3506, abs=5e-5)


def raw(law: Any, k: int) -> float:
    return float(law.moment(k))


@pytest.mark.parametrize(
    "law",
    [
        stats.norm(1.0, 2.0), stats.t(7), stats.laplace(), stats.uniform(-1, 2), stats.expon(),
        stats.lognorm(0.5), stats.poisson(3), stats.binom(9, 0.2), stats.beta(0.5, 2.0), stats.gumbel_r(),
        stats.triang(0.3),
    ],
)  # fmt: skip
def test_moments_of_the_normal_statistic(law: Any) -> None:
    truth = resolve_truth(Normal(), law)
    x = np.array([0.0, 1.0, 2.0])
    # whichever affine image of (x, x^2) the family takes
    to = np.linalg.solve(np.column_stack([np.ones(3), x, x**2]), Normal().statistic(x))
    m = [1.0] + [raw(law, k) for k in range(1, 7)]
    cov = np.array([[m[i + j] - m[i] * m[j] for j in (1, 2)] for i in (1, 2)])
    third = np.empty((2, 2, 2))
    for i, j, k in product((1, 2), repeat=3):
        third[i - 1, j - 1, k - 1] = (
            m[i + j + k] - m[i + j] * m[k] - m[i + k] * m[j] - m[j + k] * m[i] + 2 * m[i] * m[j] * m[k]
        )
    inner = to[1:]
    np.testing.assert_allclose(truth.mean, to[0] + np.array(m[1:3]) @ inner, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(truth.cov, inner.T @ cov @ inner, rtol=1e-10, atol=1e-9)
    # scipy's own sixth moments are good to about 3e-9
    np.testing.assert_allclose(
        tensor(truth), np.einsum("ijk,ia,jb,kc->abc", third, inner, inner, inner), rtol=2e-8, atol=1e-8
    )


@pytest.mark.parametrize(
    ("law", "m"),
    [
        (stats.expon(), [1, 2, 6, 24, 120, 720]),
        (stats.laplace(), [0, 2, 0, 24, 0, 720]),
        (stats.t(7), [0, 7 / 5, 0, 49 / 5, 0, 343.0]),
        (stats.t(6.5), [0, 13 / 9, 0, 169 / 15, 0, 2197 / 3]),
        (stats.lognorm(0.5), [float(np.exp(k * k / 8)) for k in range(1, 7)]),
    ],
)
def test_moments_in_closed_form(law: Any, m: list[float]) -> None:
    """The expectations of sums of squares: cov and third of x and x^2 from raw moments that are known exactly."""
    family = SampledFamily(lambda x: np.stack([x, x**2], axis=1), lambda theta, size, rng: None, dim=2)
    truth = resolve_truth(family, law)
    np.testing.assert_allclose(truth.mean, m[:2], rtol=1e-12, atol=1e-13)
    assert truth.cov[1, 1] == pytest.approx(m[3] - m[1] ** 2, rel=1e-12)
    assert tensor(truth)[1, 1, 1] == pytest.approx(m[5] - 3 * m[3] * m[1] + 2 * m[1] ** 3, rel=1e-11)


@pytest.mark.parametrize(
    ("family", "law", "theta"),
    [
        (Exponential(), stats.expon(scale=2.0), (0.5,)),
        (Gamma(), stats.gamma(0.4, scale=1.5), (0.4, 1 / 1.5)),
        (InverseGaussian(), stats.invgauss(0.5), (0.5, 1.0)),
        (Beta(), stats.beta(2.0, 3.0), (2.0, 3.0)),
        (Poisson(), stats.poisson(2.5), (2.5,)),
        (Bernoulli(), stats.bernoulli(0.3), (0.3,)),
        (Normal(), stats.Normal(mu=1.0, sigma=2.0), (1.0, 4.0)),
        (MultivariateNormal(2), stats.multivariate_normal([0, 1], [[1, 0], [0, 2]]), ([0, 1], [[1, 0], [0, 2]])),
        (MultivariateNormal(9), stats.multivariate_normal(np.zeros(9)), (np.zeros(9), np.eye(9))),
        (Dirichlet(3), stats.dirichlet([1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0],)),
        (Multinomial(3), stats.multinomial(1, [0.2, 0.3, 0.5]), ([0.2, 0.3, 0.5],)),
    ],
)  # fmt: skip
def test_a_member_of_the_family_has_the_moments_of_the_family(
    family: ExponentialFamily, law: Any, theta: tuple[Any, ...]
) -> None:
    truth, member = resolve_truth(family, law), family.natural(*theta)
    np.testing.assert_allclose(truth.mean, family.mean(member), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(truth.cov, family.cov(member), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tensor(truth), family.third(member), rtol=1e-8, atol=1e-11)
    assert truth.kind == "distribution"
    assert truth.size is None


def test_data_have_unbiased_moments() -> None:
    """Over all samples of three from a law their average is the law's."""
    family = FiniteSupport([0.0, 1.0, 5.0])
    p = np.array([0.5, 0.3, 0.2])
    law = resolve_truth(family, p)
    cov, third = 0.0, 0.0
    for draw in product(range(3), repeat=3):
        found = resolve_truth(family, np.array(draw))
        weight = p[list(draw)].prod()
        cov += weight * found.cov[0, 0]
        third += weight * tensor(found)[0, 0, 0]
    assert cov == pytest.approx(law.cov[0, 0], rel=1e-13)
    assert third == pytest.approx(tensor(law)[0, 0, 0], rel=1e-12)


def test_data_of_several_columns() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    family = MultivariateNormal(2)
    truth = resolve_truth(family, x)
    rows = family.statistic(x)
    assert (truth.size, truth.kind) == (50, "data")
    np.testing.assert_allclose(truth.cov, np.cov(rows.T), rtol=1e-12)
    assert isinstance(truth.third, Rows)
    assert truth.third.scale == pytest.approx(2500 / (49 * 48))
    assert not truth.cov.flags.writeable
    np.testing.assert_array_equal(resolve_truth(family, x.tolist()).cov, truth.cov)


def test_probabilities_of_the_support() -> None:
    family = LogLinear([2, 2], 1)
    table = np.array([[0.1, 0.2], [0.3, 0.4]])
    by_table, by_vector = resolve_truth(family, table), resolve_truth(family, table.ravel())
    by_value = resolve_truth(family, {(i, j): table[i, j] for i in range(2) for j in range(2)})
    for found in (by_table, by_vector, by_value):
        assert found.kind == "pmf"
        np.testing.assert_allclose(found.mean, [0.7, 0.6])
        np.testing.assert_allclose(found.cov, [[0.21, -0.02], [-0.02, 0.24]], atol=1e-15)
    np.testing.assert_allclose(resolve_truth(Bernoulli(), [0.3, 0.7]).mean, [0.7])
    np.testing.assert_allclose(resolve_truth(Poisson(), {0: 0.5, 4: 0.5}).cov, [[4.0]])


def test_what_may_be_data_or_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match="may be data or probabilities"):
        resolve_truth(Bernoulli(), [0.0, 1.0])
    with pytest.raises(ValueError, match="at least 3"):
        resolve_truth(Bernoulli(), [0, 1])


class Moments(NamedTuple):
    mean: Any
    cov: Any
    third: Any


def test_moments_as_a_mapping_or_an_object() -> None:
    cov, third = np.array([[2.0]]), np.array([[[3.0]]])
    for given in ({"mean": [1.0], "cov": cov, "third": third}, Moments(1.0, cov, third), Moments([1.0], 2.0, 3.0)):
        found = resolve_truth(Poisson(), given)
        assert (found.centre()[0], found.cov[0, 0], tensor(found)[0, 0, 0]) == (1.0, 2.0, 3.0)
    again = resolve_truth(Poisson(), found)
    assert again.kind == "moments"
    assert cov.flags.writeable
    without = resolve_truth(Poisson(), {"cov": cov, "third": third})
    with pytest.raises(ValueError, match="or theta"):
        without.centre()
    expansion = kl_risk_expansion(Poisson(), Poisson().natural(1.0), truth={"cov": cov, "third": third})
    assert expansion.c2 == pytest.approx(-3.0 / 3 + 3 * 4.0 / 4)


class Frozen:
    """What is no distribution."""


@pytest.mark.parametrize(
    ("family", "truth", "error", "match"),
    [
        (Normal(), None, TypeError, "truth is None"),
        (Normal(), "data", TypeError, "type str"),
        (Normal(), len, TypeError, "expected data"),
        (Normal(), {}, ValueError, "empty mapping"),
        (Normal(), {0.0: 0.5, 1.0: 0.6}, ValueError, "sum"),
        (Normal(), {0.0: -0.5, 1.0: 1.5}, ValueError, ">= 0"),
        (Normal(), {"cov": np.eye(2)}, ValueError, "no 'third'"),
        (Normal(), {"mean": [0, 1], "third": np.zeros((2, 2, 2))}, ValueError, "no 'cov'"),
        (Normal(), {"cov": np.eye(3), "third": np.zeros((3, 3, 3))}, ValueError, "cov"),
        (Normal(), {"cov": np.eye(2), "third": np.zeros((2, 2))}, ValueError, "third"),
        (Normal(), {"cov": np.eye(2), "third": np.zeros((2, 2, 2)), "skew": 1}, ValueError, "skew"),
        (Normal(), {"cov": np.eye(2), "third": np.zeros((2, 2, 2)), "mean": [0.0]}, ValueError, "mean"),
        (Normal(), {"cov": [[1.0, 2.0], [0.0, 1.0]], "third": np.zeros((2, 2, 2))}, ValueError, "symmetric"),
        (Normal(), [1.0, np.nan, 2.0], ValueError, "finite"),
        (Normal(), [1.0, 2.0], ValueError, "at least 3"),
        (Exponential(), [1.0, -2.0, 3.0], ValueError, r"x\[1\]"),
        (Gamma(), stats.norm(), ValueError, r"expected a number > 0"),
        (Normal(), stats.cauchy(), ValueError, "infinite"),
        (Normal(), stats.t(6), ValueError, "infinite"),
        (Poisson(), stats.zipf(3.5, loc=-1), ValueError, "tail is too heavy"),
        (Normal(), stats.dirichlet([1.0, 2.0]), TypeError, "family is Normal"),
        (Normal(), stats.wishart(3, np.eye(2)), TypeError, "wishart_frozen"),
        (Multinomial(2), stats.multinomial(5, [0.5, 0.5]), ValueError, "one trial"),
        (Bernoulli(), stats.poisson(2), ValueError, "x"),
    ],
)
def test_bad_truths(family: ExponentialFamily, truth: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        resolve_truth(family, truth)


def test_an_array_of_objects_is_refused() -> None:
    with pytest.raises(TypeError):
        resolve_truth(Normal(), Frozen())


@pytest.mark.parametrize(
    ("law", "skewness", "excess", "sixth"),
    [
        (stats.expon(5.0), 2.0, 6.0, 265.0),
        (stats.uniform(5.0, 1.0), 0.0, -1.2, 27.0 / 7.0),
        (stats.arcsine(), 0.0, -1.5, 2.5),
        (stats.arcsine(loc=2.0), 0.0, -1.5, 2.5),
    ],
)
def test_ends_of_the_support_away_from_zero(law: Any, skewness: float, excess: float, sixth: float) -> None:
    # floats are coarse there: a density that is large at such an end was said to have no third moment
    found, wanted = kl_risk_expansion(Normal(), truth=law), normal_from_moments(skewness, excess, sixth)
    assert found.c1 == pytest.approx(wanted.c1, rel=1e-10)
    assert found.c2 == pytest.approx(wanted.c2, rel=1e-9)
    assert found.status is ProjectionStatus.OK


def test_tails_of_pareto_laws() -> None:
    # six moments and no more: the standardised ones from E x^k = 7/(7 - k)
    raw = [7.0 / (7.0 - k) for k in range(7)]
    mu, var = raw[1], raw[2] - raw[1] ** 2
    central = [sum(math.comb(k, j) * raw[j] * (-mu) ** (k - j) for j in range(k + 1)) for k in range(7)]
    skewness, excess, sixth = central[3] / var**1.5, central[4] / var**2 - 3.0, central[6] / var**3
    found, wanted = kl_risk_expansion(Normal(), truth=stats.pareto(7)), normal_from_moments(skewness, excess, sixth)
    assert found.c2 == pytest.approx(wanted.c2, rel=1e-6)
    with pytest.raises(ValueError, match="infinite or beyond float64"):
        kl_risk_expansion(Normal(), truth=stats.pareto(6))


def test_beta_model_of_a_uniform_law() -> None:
    # log(1 - x) is not finite at 1, where floats are coarse
    found = kl_risk_expansion(Beta(), truth=stats.uniform())
    assert found.c2 == pytest.approx(5.3975221012223962, rel=1e-9)
    with pytest.raises(ValueError, match="near 1 the statistic of Beta is so large"):
        kl_risk_expansion(Beta(), truth=stats.beta(0.5, 0.5))


def test_far_means_of_laws_are_refused() -> None:
    # rounding of the moments of (x, x^2): at 1e6 standard deviations c2 came out as -20293
    for far in (1e6, 1e7):
        with pytest.raises(ValueError, match="nearly collinear at the projection"):
            kl_risk_expansion(Normal(), truth=stats.norm(far, 1.0))
    assert kl_risk_expansion(Normal(), truth=stats.norm(1e4, 1.0)).c2 == pytest.approx(61.0 / 12.0, rel=1e-5)


def test_laws_with_atoms_are_conditional() -> None:
    pmf, law = {0: 0.2, 1: 0.3, 2: 0.5}, stats.rv_discrete(values=([0, 1, 2], [0.2, 0.3, 0.5]))
    for truth in (pmf, law, stats.binom(5, 0.3)):
        assert kl_risk_expansion(Normal(), truth=truth).status is ProjectionStatus.CONDITIONAL
    with pytest.raises(ValueError, match="the dimension of truth is 2; expected 1"):
        kl_risk_expansion(Normal(), truth=stats.multivariate_normal([0.0, 0.0], np.eye(2)))
