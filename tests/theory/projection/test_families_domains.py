"""What families refuse: structure, data, parameters, means on the boundary; and what they say."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from asymptopia.theory.projection import families
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.categorical import Multinomial
from asymptopia.theory.projection.families.discrete import Bernoulli, NegativeBinomial, Poisson
from asymptopia.theory.projection.families.gammas import Gamma
from asymptopia.theory.projection.families.multivariate import MultivariateNormal
from asymptopia.theory.projection.families.normal import Normal
from asymptopia.theory.projection.families.positive import Exponential, InverseGaussian
from asymptopia.theory.projection.families.protocol import ExponentialFamily
from asymptopia.theory.projection.families.simplex import Beta, Dirichlet

ALL: list[ExponentialFamily] = [
    Bernoulli(),
    Multinomial(3),
    Poisson(),
    NegativeBinomial(2),
    Exponential(),
    Gamma(),
    Gamma(2.0),
    InverseGaussian(),
    Normal(),
    MultivariateNormal(2),
    MultivariateNormal(2, known_mean=True),
    Beta(),
    Dirichlet(3),
]
each = pytest.mark.parametrize("family", ALL, ids=lambda family: f"{family.name}{family.dim}")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Multinomial(1), ValueError, "k is 1; expected an integer, at least 2"),
        (lambda: Multinomial(2.5), TypeError, "k is 2.5"),
        (lambda: NegativeBinomial(0), ValueError, "size is 0.0"),
        (lambda: NegativeBinomial("two"), TypeError, "size is of type str"),
        (lambda: Gamma(-1.0), ValueError, "known_shape is -1.0"),
        (lambda: Gamma(float("nan")), ValueError, "known_shape is nan"),
        (lambda: MultivariateNormal(0), ValueError, "d is 0"),
        (lambda: MultivariateNormal(2, known_mean=[1.0]), ValueError, "known_mean.shape is (1,); expected (2,)"),
        (lambda: Dirichlet(1), ValueError, "k is 1"),
    ],
)
def test_structure(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("family", "x", "message"),
    [
        (Bernoulli(), [0, 2], "x[1] is 2.0; expected 0 or 1"),
        (Bernoulli(), [[0, 1], [1, 0]], "x.shape is (2, 2)"),
        (Multinomial(3), [0, 3], "x[1] is 3.0; expected a category code from 0 to 2"),
        (Multinomial(3), [0.5], "x[0] is 0.5"),
        (Multinomial(3), [[1, 0, 0], [1, 1, 0]], "x[1].sum() is 2.0; expected 1"),
        (Multinomial(3), [[1, 0, 0], [0.5, 0.5, 0]], "x[1, 0] is 0.5; expected 0 or 1"),
        (Multinomial(3), [[1, 0]], "x.shape is (1, 2)"),
        (Poisson(), [1, -1], "x[1] is -1.0; expected a count"),
        (Poisson(), [1.5], "x[0] is 1.5; expected a count"),
        (NegativeBinomial(2), [-1], "x[0] is -1.0; expected a count"),
        (Exponential(), [-1e-9], "x[0] is -1e-09; expected a number >= 0"),
        (Gamma(), [1.0, 0.0], "x[1] is 0.0; expected a number > 0"),
        (Gamma(2.0), [-1.0], "x[0] is -1.0; expected a number >= 0"),
        (InverseGaussian(), [0.0], "x[0] is 0.0; expected a number > 0"),
        (MultivariateNormal(2), [[1.0, 2.0, 3.0]], "x.shape is (1, 3); expected (n, 2)"),
        (MultivariateNormal(2), np.zeros(200), "x.shape is (200,); expected (n, 2)"),
        (Beta(), [0.5, 1.0], "x[1] is 1.0; expected a number strictly between 0 and 1"),
        (Dirichlet(3), [[0.5, 0.5, 0.0]], "x[0, 2] is 0.0; expected a share > 0"),
        (Dirichlet(3), [[0.5, 0.5, 0.5]], "x[0].sum() is 1.5; expected 1"),
    ],
)
def test_data_outside_the_sample_space(family: ExponentialFamily, x: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        family.statistic(x)


@each
def test_data_that_are_no_numbers(family: ExponentialFamily) -> None:
    theta = _some(family)
    x = np.array(family.sample(theta, 3, 0), dtype=float)
    x.flat[0] = np.nan
    with pytest.raises(ValueError, match=r"x\[0.*nan; expected finite"):
        family.statistic(x)
    with pytest.raises(TypeError, match="x has dtype"):
        family.statistic(np.full(x.shape, "a"))


@each
def test_theta_is_checked_by_every_method(family: ExponentialFamily) -> None:
    wrong = np.zeros(family.dim + 1)
    w = np.eye(family.dim)
    for call in (
        family.log_partition,
        family.mean,
        family.cov,
        family.third,
        family.usual,
        family.contractions,
        lambda t: family.fourth(t, w),
        lambda t: family.sample(t, 1),
        lambda t: family.divergence(t, t),
    ):
        with pytest.raises(ValueError, match=r"theta.shape is"):
            call(wrong)
        with pytest.raises(ValueError, match="nan"):
            call(np.full(family.dim, np.nan))
    with pytest.raises(ValueError, match=r"theta_hat.shape"):
        family.divergence(_some(family), wrong)
    with pytest.raises(ValueError, match=r"mean_stat.shape is"):
        family.mle(wrong)
    with pytest.raises(ValueError, match=r"w.shape is"):
        family.fourth(_some(family), np.zeros((family.dim, family.dim + 1)))
    with pytest.raises(ValueError, match="size is -1"):
        family.sample(_some(family), -1)
    with pytest.raises(TypeError, match=r"size is 1.5"):
        family.sample(_some(family), 1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rng is a str"):
        family.sample(_some(family), 1, "seed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "theta", "message"),
    [
        (Poisson(), [800.0], "theta between"),
        (NegativeBinomial(2), [0.0], "theta < 0"),
        (Exponential(), [1.0], "theta < 0, minus the rate"),
        (Gamma(), [1.0, 1.0], "minus the rate < 0"),
        (Gamma(), [-1.0, -1.0], "a shape from 1e-75"),
        (Gamma(2.0), [0.0], "theta < 0"),
        (InverseGaussian(), [0.0, -1.0], "two numbers < 0"),
        (Normal(), [0.0, 1.0], "the second < 0"),
        (MultivariateNormal(2), [0.0, 0.0, -1.0, -3.0, -1.0], "positive definite"),
        (Beta(), [1.0, 0.0], "numbers from 1e-75"),
        (Dirichlet(3), [1.0, 1.0, -1.0], "numbers from 1e-75"),
    ],
)
def test_theta_outside_the_space(family: ExponentialFamily, theta: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        family.mean(theta)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Bernoulli().natural(1.0), ValueError, "p is 1.0"),
        (lambda: Multinomial(3).natural([0.5, 0.5]), ValueError, "probs.shape is (2,)"),
        (lambda: Multinomial(3).natural([0.5, 0.5, 0.0]), ValueError, "drop a category that cannot occur"),
        (lambda: Multinomial(3).natural([0.5, 0.5, 0.5]), ValueError, "probs.sum() is 1.5"),
        (lambda: Poisson().natural(0.0), ValueError, "lam is 0.0"),
        (lambda: NegativeBinomial(2).natural(1.0), ValueError, "q is 1.0"),
        (lambda: Exponential().natural(-2.0), ValueError, "rate is -2.0"),
        (lambda: Gamma().natural(0.0, 1.0), ValueError, "shape is 0.0"),
        (lambda: Gamma().natural(1.0), TypeError, "rate"),
        (lambda: Gamma(2.0).natural(1.0, 1.0), TypeError, "positional"),
        (lambda: InverseGaussian().natural(-1.0, 1.0), ValueError, "mu is -1.0"),
        (lambda: Normal().natural(0.0, 0.0), ValueError, "sigma2 is 0.0"),
        (lambda: Normal().natural(1e300, 1e-300), ValueError, "theta"),
        (lambda: MultivariateNormal(2).natural([0.0], np.eye(2)), ValueError, "mean.shape is (1,)"),
        (lambda: MultivariateNormal(2).natural([0.0, 0.0], np.eye(3)), ValueError, "cov.shape is (3, 3)"),
        (lambda: MultivariateNormal(2).natural([0.0, 0.0], [[1, 2], [2, 1]]), ValueError, "a positive definite matrix"),
        (lambda: MultivariateNormal(2).natural([0.0, 0.0], [[1, 0.5], [0, 1]]), ValueError, "a symmetric matrix"),
        (lambda: MultivariateNormal(2, known_mean=True).natural(np.zeros(2), np.eye(2)), TypeError, "argument"),
        (lambda: Beta().natural(1.0, -1.0), ValueError, "b is -1.0"),
        (lambda: Dirichlet(2).natural([1.0, 0.0]), ValueError, "alpha is [1.0, 0.0]"),
        (lambda: Dirichlet(2).natural([1.0, 1.0, 1.0]), ValueError, "alpha.shape is (3,)"),
        # arguments that do not fit: the parameters are named
        (lambda: Bernoulli().natural(q=0.5), TypeError, "natural of Bernoulli takes (p): "),
        (lambda: Multinomial(2).natural(), TypeError, "natural of Multinomial takes (probs): "),
        (lambda: Poisson().natural(rate=2.0), TypeError, "natural of Poisson takes (lam): "),
        (lambda: NegativeBinomial(2).natural(p=0.5), TypeError, "natural of NegativeBinomial takes (q): "),
        (lambda: Exponential().natural(scale=2.0), TypeError, "natural of Exponential takes (rate): "),
        (lambda: Gamma().natural(a=2, rate=1), TypeError, "natural of Gamma takes (shape, rate): "),
        (lambda: Gamma(2.0).natural(1.0, 1.0), TypeError, "natural of Gamma of known shape takes (rate): "),
        (lambda: InverseGaussian().natural(1.0), TypeError, "natural of InverseGaussian takes (mu, lam): "),
        (lambda: Normal().natural(mean=0, sigma2=1), TypeError, "natural of Normal takes (mu, sigma2): "),
        (lambda: MultivariateNormal(2).natural(np.eye(2)), TypeError, "MultivariateNormal takes (mean, cov): "),
        (lambda: MultivariateNormal(2, known_mean=True).natural(), TypeError, "MultivariateNormal takes (cov): "),
        (lambda: Beta().natural(1.0), TypeError, "natural of Beta takes (a, b): "),
        (lambda: Dirichlet(2).natural(1.0, 1.0), TypeError, "natural of Dirichlet takes (alpha): "),
        (lambda: families.Ising(2).natural(H=0.0), TypeError, "natural of Ising takes (h, J): "),
        (lambda: families.LogLinear([2, 2]).natural(p=0.0), TypeError, "natural of log-linear takes (probs, theta): "),
        # an error of the value is left as it is
        (lambda: Poisson().natural("a"), TypeError, "lam is of type str; expected a real number"),
    ],
)
def test_usual_parameters(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("family", "x"),
    [
        (Bernoulli(), [1, 1, 1]),
        (Bernoulli(), [0]),
        (Multinomial(3), [0, 1, 1]),
        (Multinomial(3), [2, 1, 1]),
        (Poisson(), [0, 0]),
        (NegativeBinomial(2), [0]),
        (Exponential(), [0.0]),
        (Gamma(), [0.1, 0.1, 0.1]),
        (Gamma(2.0), [0.0]),
        (InverseGaussian(), [0.7, 0.7, 0.7]),
        (Normal(), [0.1, 0.1, 0.1]),
        (Normal(), [0.0, 0.0]),
        (MultivariateNormal(2), [[0.1, 0.2], [0.3, 0.5]]),
        (MultivariateNormal(3), np.random.default_rng(0).normal(size=(3, 3)) + 10),
        (MultivariateNormal(2), [[0.1, 0.2], [0.1, 0.5], [0.1, 0.7]]),
        (MultivariateNormal(2, known_mean=True), [[0.1, 0.2]]),
        (Beta(), [0.3, 0.3, 0.3]),
        (Dirichlet(3), [[0.2, 0.3, 0.5]] * 3),
    ],
)
def test_samples_without_an_estimate(family: ExponentialFamily, x: Any) -> None:
    with pytest.raises(MLEDoesNotExistError, match="mean_stat"):
        family.mle(family.statistic(x).mean(axis=0))


@pytest.mark.parametrize(
    ("family", "mean"),
    [
        (Bernoulli(), [1.5]),
        (Multinomial(3), [-0.1, 0.5]),
        (Multinomial(3), [0.6, 0.6]),
        (Poisson(), [-1.0]),
        (Gamma(), [1.0, 1.0]),
        (Gamma(), [1.0, -1.0]),
        (InverseGaussian(), [1.0, 0.5]),
        (InverseGaussian(), [-1.0, -3.0]),
        (Normal(), [2.0, 1.0]),
        (Normal(), [0.0, -1.0]),
        (MultivariateNormal(2), [0.0, 0.0, 1.0, 2.0, 1.0]),
        (MultivariateNormal(2), [0.0, 0.0, -1.0, 0.0, 1.0]),
        (Beta(), [-0.1, -0.2]),
        (Dirichlet(3), [-1.0, 0.5, -1.0]),
    ],
)
def test_means_outside_the_hull(family: ExponentialFamily, mean: list[float]) -> None:
    with pytest.raises(MLEDoesNotExistError, match="mean_stat"):
        family.mle(mean)


def test_a_share_of_rounding_is_called_0() -> None:
    for mean in ([0.3, 0.7], [0.1, 0.9 - 1e-16]):
        with pytest.raises(MLEDoesNotExistError, match=r"gives category 2 the share 0 \(within rounding\);"):
            Multinomial(3).mle(mean)
    with pytest.raises(MLEDoesNotExistError, match=r"gives category 2 the share -0\.3;"):
        Multinomial(3).mle([0.6, 0.7])
    # a rare category that has a share is not the one to blame
    with pytest.raises(MLEDoesNotExistError, match="gives category 2 "):
        Multinomial(3).mle([1e-200, 1.0])
    with pytest.raises(MLEDoesNotExistError, match=r"a variance of 0 \(within rounding\)"):
        Normal().mle([0.1, 0.1**2])


def test_truth_needs_both_cumulants() -> None:
    for family in ALL:
        with pytest.raises(ValueError, match="truth_cov is given without truth_third"):
            family.contractions(_some(family), truth_cov=np.eye(family.dim))


def test_a_probability_that_vanishes_has_no_contractions() -> None:
    with pytest.raises(ValueError, match="theta is 'one with a probability of 0"):
        Multinomial(3).contractions([800.0, 0.0])


def test_statistics_take_single_values_and_rows() -> None:
    np.testing.assert_array_equal(Normal().statistic(2.0), [[2.0, 4.0]])
    np.testing.assert_array_equal(Normal().statistic([[2.0], [3.0]]), [[2.0, 4.0], [3.0, 9.0]])
    np.testing.assert_array_equal(MultivariateNormal(2).statistic([1.0, 3.0]), [[1.0, 3.0, 1.0, 3.0, 9.0]])
    np.testing.assert_array_equal(MultivariateNormal(1).statistic([1.0, 3.0]), [[1.0, 1.0], [3.0, 9.0]])
    np.testing.assert_array_equal(
        MultivariateNormal(2, known_mean=[1.0, 0.0]).statistic([[2.0, 3.0]]), [[1.0, 3.0, 9.0]]
    )
    codes = [0, 2, 1]
    np.testing.assert_array_equal(Multinomial(3).statistic(codes), Multinomial(3).statistic(np.eye(3)[codes]))
    np.testing.assert_array_equal(Multinomial(2).statistic([0, 1]), [[1.0], [0.0]])


def test_package_names() -> None:
    for family in ALL:
        assert getattr(families, family.name) is type(family)
    assert families.ExponentialFamily is ExponentialFamily
    with pytest.raises(AttributeError, match="no attribute"):
        families.Unknown  # noqa: B018


def _some(family: ExponentialFamily) -> np.ndarray:
    """A theta of the family."""
    usual: dict[str, tuple[Any, ...]] = {
        "Bernoulli": (0.3,),
        "Multinomial": ([0.2, 0.3, 0.5],),
        "Poisson": (2.0,),
        "NegativeBinomial": (0.4,),
        "Exponential": (2.0,),
        "Gamma": (2.0, 3.0)[: family.dim],
        "InverseGaussian": (1.0, 2.0),
        "Normal": (1.0, 2.0),
        "MultivariateNormal": (np.zeros(2), np.eye(2))[-(1 if family.dim == 3 else 2) :],
        "Beta": (2.0, 3.0),
        "Dirichlet": ([1.0, 2.0, 3.0],),
    }
    return family.natural(*usual[family.name])
