"""Bootstrap of the p-n criterion: against exact bootstrap laws, reproducible, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from asymptopia.theory.projection.bootstrap import CriterionBootstrap, bootstrap_criterion
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families import Bernoulli, Exponential, Normal, Poisson, SampledFamily
from asymptopia.theory.projection.status import ProjectionStatus


def bernoulli_coefficients(ones: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both coefficients of samples with so many ones, by hand."""
    p = ones / n
    k2 = p * (1 - p)
    k3, k4 = k2 * (1 - 2 * p), k2 * (1 - 6 * k2)
    spread = n / (n - 1)
    t1 = k3**2 / k2**3 * n * n / ((n - 1) * (n - 2))
    t21 = t22 = k3**2 / k2**3 * spread**2
    t31 = k4 / k2**2 * spread**2
    return np.full(p.shape, 0.5 * spread), t1 / 6 + (t21 + 2 * t22 - t31) / 8


def test_against_the_exact_bootstrap_law() -> None:
    n, ones = 60, 15
    x = np.repeat([1, 0], [ones, n - ones])
    draws = bootstrap_criterion(x, Bernoulli(), repeats=4000, rng=3)
    # the resampled number of ones is binomial; 0 and n have probability 3e-8
    k = np.arange(1, n)
    weights = binom.pmf(k, n, ones / n)
    c1, c2 = bernoulli_coefficients(k, n)
    mean = weights @ c2
    sd = np.sqrt(weights @ (c2 - mean) ** 2)
    assert draws.lost == 0
    assert draws.status is ProjectionStatus.OK
    np.testing.assert_allclose(draws.first_draws, c1[0], rtol=1e-12)
    # standard error of the mean 1.6 % of sd; of the sd of a skewed law a few per cent
    assert draws.second_draws.mean() == pytest.approx(mean, abs=0.07 * sd)
    assert draws.second_se == pytest.approx(sd, rel=0.12)
    assert draws.risk_se == pytest.approx(draws.second_se / n**2, rel=1e-9)
    assert draws.second == pytest.approx(bernoulli_coefficients(np.array([ones]), n)[1][0], rel=1e-11)
    low, high = draws.second_interval
    order = np.argsort(c2)
    cumulated = np.cumsum(weights[order])
    assert cumulated[np.searchsorted(c2[order], low * (1 - 1e-12))] == pytest.approx(0.025, abs=0.03)
    assert cumulated[np.searchsorted(c2[order], high * (1 - 1e-12))] == pytest.approx(0.975, abs=0.03)


def test_resamples_are_samples_of_the_rows() -> None:
    # the first coefficient of the normal model is half the sum of unbiased variances: by hand from the same draws
    x = np.random.default_rng(0).gamma(3.0, size=50)
    draws = bootstrap_criterion(x, Normal(), repeats=20, rng=7)
    children = np.random.SeedSequence(7).spawn(20)
    for child, c1 in zip(children, draws.first_draws, strict=True):
        counts = np.random.default_rng(child).multinomial(50, np.full(50, 1 / 50))
        sample = np.repeat(x, counts)
        z = (sample - sample.mean()) / sample.std()
        y = np.column_stack([z, (z * z - 1) / np.sqrt(2)])
        assert c1 == pytest.approx(0.5 * y.var(axis=0, ddof=1).sum(), rel=1e-9)


def test_streams_and_orders() -> None:
    x = np.random.default_rng(0).exponential(size=80)
    few = bootstrap_criterion(x, Exponential(), repeats=25, rng=5)
    more = bootstrap_criterion(x, Exponential(), repeats=50, rng=5)
    np.testing.assert_array_equal(few.second_draws, more.second_draws[:25])
    assert bootstrap_criterion(x, Exponential(), repeats=25, rng=np.random.SeedSequence(5)) == few
    first = bootstrap_criterion(x, Exponential(), repeats=25, rng=5, order=1)
    np.testing.assert_allclose(first.first_draws, few.first_draws, rtol=1e-12)
    assert not first.second_draws.any()
    assert first.second_se == 0.0
    plain = bootstrap_criterion(x, Exponential(), repeats=25, rng=5, bias_correct=False)
    assert (plain.second_draws != few.second_draws).all()


def test_delta_method_error_of_the_first_term() -> None:
    # exponential model: t0 = var / mean**2, whose standard error for exponential data is sqrt(8 / n) ... by its
    # influence function (x - 1)**2 - 1 - 2 (x - 1), of variance 9 - 1 + 4 - 4 * 2 = 4
    x = -np.log1p(-(np.arange(2000) + 0.5) / 2000)
    draws = bootstrap_criterion(x, Exponential(), repeats=400, rng=1)
    assert 2 * draws.first_se == pytest.approx(np.sqrt(4 / 2000), rel=0.12)


def test_round_trip() -> None:
    x = np.random.default_rng(0).poisson(3.0, size=100)
    draws = bootstrap_criterion(x, Poisson(), repeats=30, rng=5)
    assert CriterionBootstrap.from_json(draws.to_json()) == draws
    assert len(draws.to_frame()) == 30
    assert "30" in draws.summary()
    assert draws.repeats == 30
    assert not draws.first_draws.flags.writeable


def test_lost_resamples() -> None:
    x = np.repeat([1, 0], [3, 27])
    draws = bootstrap_criterion(x, Bernoulli(), repeats=400, rng=0)
    # (27/30)**30 = 4.2 % have no 1
    assert draws.lost == pytest.approx(17, abs=13)
    assert draws.first_draws.size + draws.lost == 400
    assert draws.status is ProjectionStatus.CONDITIONAL
    assert "without an estimate" in draws.summary()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"repeats": 19}, ValueError, "repeats is 19"),
        ({"repeats": 30.0}, TypeError, "repeats"),
        ({"level": 1.0}, ValueError, "level is 1.0"),
        ({"order": 0}, ValueError, "order is 0"),
        ({"rng": -1}, ValueError, "rng is -1"),
        ({"rng": "a"}, TypeError, "rng"),
    ],
)
def test_refusals(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        bootstrap_criterion([1.0, 2.0, 4.0], Exponential(), **options)


@pytest.mark.parametrize("family", ["exponential", Exponential])
def test_a_name_or_a_class_is_no_family(family: Any) -> None:
    with pytest.raises(TypeError, match="family is"):
        bootstrap_criterion([1.0, 2.0, 4.0], family)


def test_too_few_resamples_with_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    import asymptopia.theory.projection.bootstrap as module

    real, calls = module.plug_in, []

    def once(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > 2:
            message = "no estimate"
            raise MLEDoesNotExistError(message)
        return real(*args, **options)

    monkeypatch.setattr(module, "plug_in", once)
    with pytest.raises(MLEDoesNotExistError, match="exists in 1 of 20 resamples"):
        bootstrap_criterion([1.0, 2.0, 4.0], Exponential(), repeats=20, rng=0)


def test_sampled_families_are_refused() -> None:
    family = SampledFamily(
        lambda x: np.asarray(x, dtype=float)[:, None],
        lambda theta, size, rng: rng.poisson(np.exp(theta[0]), size),
        dim=1,
        draws=200,
    )
    with pytest.raises(ValueError, match="family is sampled family, whose moments are sampled"):
        bootstrap_criterion([1, 2, 0, 3, 1], family)
