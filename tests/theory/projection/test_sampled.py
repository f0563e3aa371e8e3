"""Families by draws alone: against exact ones, and the red wine model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from red_wine import HINT, red_wine
from scipy import stats

from asymptopia.theory.projection.errors import NotMinimalError
from asymptopia.theory.projection.families.finite import FiniteSupport
from asymptopia.theory.projection.families.ising import Ising
from asymptopia.theory.projection.families.quadratic import (
    QuadraticReference,
    quadratic_exponential,
    quadratic_reference,
)
from asymptopia.theory.projection.families.sampled import SampledFamily
from asymptopia.theory.projection.truths import resolve_truth


def ising_pair(draws: int = 40_000, seed: int = 0) -> tuple[SampledFamily, Ising, np.ndarray]:
    exact = Ising(3)
    family = SampledFamily(exact.statistic, exact.sample, dim=exact.dim, draws=draws, seed=seed)
    return family, exact, exact.natural([0.3, -0.2, 0.1], [0.4, -0.3, 0.2])


def test_moments_are_those_of_the_exact_family() -> None:
    family, exact, theta = ising_pair()
    z = (family.mean(theta) - exact.mean(theta)) / np.sqrt(np.diag(exact.cov(theta)) / family.draws)
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(family.cov(theta), exact.cov(theta), atol=0.03)
    np.testing.assert_allclose(family.third(theta), exact.third(theta), atol=0.06)
    np.testing.assert_allclose(family.fourth(theta, np.eye(6)), exact.fourth(theta, np.eye(6)), atol=0.2)
    np.testing.assert_array_equal(family.mean(theta), family.mean(theta))


def test_the_fit_is_within_its_noise() -> None:
    family, exact, theta = ising_pair()
    found = family.mle(exact.mean(theta))
    gap = found - theta
    # three steps are averaged; chi-square of 6 at 1e-5
    assert gap @ exact.cov(theta) @ gap * 3 * family.draws < 33.1
    np.testing.assert_array_equal(found, family.mle(exact.mean(theta)))
    assert not found.flags.writeable


def test_the_noise_of_the_fit_is_known() -> None:
    family, exact, theta = ising_pair()
    mean, cov = exact.mean(theta), exact.cov(theta)
    found, stated = [], []
    for seed in range(60):
        family = SampledFamily(exact.statistic, exact.sample, dim=exact.dim, draws=4000, seed=seed)
        fitted = family.mle(mean)
        found.append((fitted - theta) @ cov @ (fitted - theta))
        stated.append(family.fit_noise(fitted))
    # three steps of 4000 draws, six parameters: a chi-square of 6, and blocks of 32
    assert np.mean(stated) == pytest.approx(6 / 12_000, rel=0.1)
    assert np.mean(found) == pytest.approx(6 / 12_000, rel=0.35)
    # any other theta is taken as exact
    assert family.fit_noise(theta) == 0.0


def test_contractions_are_within_their_errors() -> None:
    family, exact, theta = ising_pair()
    truth = resolve_truth(exact, np.random.default_rng(1).dirichlet(np.ones(8)))
    star = exact.mle(truth.centre())
    wanted = exact.contractions(star, truth_cov=truth.cov, truth_third=truth.third)
    value, error, _ = family.contractions_with_error(star, truth_cov=truth.cov, truth_third=truth.third)
    z = (np.array(value) - np.array(wanted)) / np.array(error)
    assert np.abs(z).max() < 5.0
    assert 0 < error.t0 < 0.05 * value.t0
    drawn = family.contractions_with_error(star, truth_cov=truth.cov, truth_third=truth.third)
    assert drawn.error_of(lambda at: at.t0) == pytest.approx(error.t0, rel=1e-12)
    assert drawn.error_of(lambda at: at.t21 - at.t21) == 0.0
    assert drawn.error_of(lambda at: at.t0 - 2 * at.t1) <= (error.t0 + 2 * error.t1) * (1 + 1e-12)
    assert not drawn.parts.flags.writeable
    assert family.contractions(star, truth_cov=truth.cov, truth_third=truth.third) == value
    own = family.contractions(theta)
    assert own.t0 == pytest.approx(6.0, rel=1e-12)


def test_the_inflation_of_a_sampled_inverse_is_taken_off() -> None:
    """With few normal draws the trace is too large by (p + 1)/N; the corrected one is not."""
    p, draws = 12, 600
    corrected, plain = [], []
    cov, third = np.eye(p), np.zeros((p, p, p))
    for seed in range(60):
        family = SampledFamily(
            lambda x: x,
            lambda theta, size, rng: rng.standard_normal((size, p)),
            dim=p,
            draws=draws,
            batches=4,
            seed=seed,
        )
        corrected.append(family.contractions(np.zeros(p), truth_cov=cov, truth_third=third).t0)
        plain.append(float(np.trace(np.linalg.inv(family.cov(np.zeros(p))))))
    inflation = np.mean(plain) / p - 1
    assert inflation == pytest.approx((p + 1) / draws, rel=0.35)
    assert abs(np.mean(corrected) / p - 1) < 0.35 * inflation


def test_divergence_needs_no_normaliser() -> None:
    family, exact, theta = ising_pair()
    hat = theta + np.array([0.1, -0.05, 0.0, 0.02, 0.1, -0.1])
    assert family.divergence(theta, hat) == pytest.approx(exact.divergence(theta, hat), rel=0.05)
    assert family.divergence(theta, theta) == 0.0
    with pytest.raises(ValueError, match="too far"):
        family.divergence(exact.natural(2.0), exact.natural(-2.0))
    with pytest.raises(NotImplementedError, match="no normaliser"):
        family.log_partition(theta)
    np.testing.assert_array_equal(family.natural(**family.usual(theta)), theta)


def test_conditional_moments_are_used() -> None:
    """A pair of bits whose second is summed out."""
    table = FiniteSupport([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 2.0]])

    def conditional(theta: np.ndarray, x: Any) -> tuple[np.ndarray, np.ndarray]:
        first = x // 2
        q = 1 / (1 + np.exp(-theta[1] * (1 + first)))
        inner = np.zeros((2, 2))
        inner[1, 1] = (q * (1 - q) * (1 + first) ** 2).mean()
        return np.stack([first, q * (1 + first)], axis=1).astype(float), inner

    calls = []

    def counted(theta: np.ndarray, x: Any) -> tuple[np.ndarray, np.ndarray]:
        calls.append(len(x))
        return conditional(theta, x)

    theta = np.array([0.4, -0.6])
    family = SampledFamily(table.statistic, table.sample, dim=2, draws=10_000, conditional=counted)
    rows, inner = conditional(theta, table.sample(theta, 10_000, 0))
    np.testing.assert_allclose(np.cov(rows.T) + inner, table.cov(theta), atol=0.02)
    np.testing.assert_allclose(family.mle(table.mean(theta)), theta, atol=0.05)
    assert calls[-1] == 10_000


def test_a_mean_outside_is_given_up_with_the_history() -> None:
    family, _, _ = ising_pair(draws=5000)
    with pytest.raises(RuntimeError, match=r"Decrements: .* draws"):
        family.mle([0, 0, 0, -0.9, -0.9, -0.9])


def test_a_sampler_that_stands_still_is_given_up() -> None:
    family = SampledFamily(lambda x: x, lambda theta, size, rng: np.ones((size, 1)), dim=1, draws=1000)
    with pytest.raises(RuntimeError, match="do not vary"):
        family.mle([0.5])
    with pytest.raises(NotMinimalError):
        family.contractions([0.0])


def test_collinear_draws_are_given_up() -> None:
    def sampler(theta: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        x = rng.normal(size=size)
        return np.stack([x, 2 * x], axis=1)

    family = SampledFamily(lambda x: x, sampler, dim=2, draws=1000)
    with pytest.raises(RuntimeError, match=r"condition number|not vary"):
        family.mle([0.1, 0.2])


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"statistic": 3}, TypeError, "statistic is of type int"),
        ({"sampler": None}, TypeError, "sampler is of type NoneType"),
        ({"dim": 0}, ValueError, "dim"),
        ({"draws": 10}, ValueError, "draws"),
        ({"batches": 1}, ValueError, "batches"),
        ({"schedule": []}, ValueError, "at least one stage"),
        ({"schedule": [(100, 0)]}, ValueError, r"schedule\[0\]\[1\]"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_bad_arguments(changes: dict[str, Any], error: type[Exception], match: str) -> None:
    arguments = {"statistic": lambda x: x, "sampler": lambda theta, size, rng: rng.normal(size=(size, 2)), "dim": 2}
    with pytest.raises(error, match=match):
        SampledFamily(**{**arguments, **changes})


def test_bad_statistics_and_samplers() -> None:
    family = SampledFamily(lambda x: x, lambda theta, size, rng: rng.normal(size=(size - 1, 2)), dim=2, draws=1000)
    with pytest.raises(ValueError, match=r"statistic\(x\).shape"):
        family.statistic(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="number of draws"):
        family.mean([0.0, 0.0])


def test_the_chain_without_couplings_has_the_reference_laws() -> None:
    reference = QuadraticReference(
        np.array([0.5, 2.0, 1900.0]), np.array([0.7, 3.0, 13.0]), np.array([1.0, 2.0, 4.0]), np.array([0.2, 0.5, 0.3])
    )
    family = quadratic_exponential(reference, draws=4000)
    x = family.sample(np.zeros(6), 20_000, 1)
    assert x.shape == (20_000, 4)
    for j in range(3):
        # every tenth draw: thinned by 40 sweeps
        assert stats.kstest(x[::10, j], stats.beta(reference.a[j], reference.b[j]).cdf).pvalue > 1e-4
    counts = [np.count_nonzero(x[:, 3] == v) for v in reference.values]
    assert stats.chisquare(counts, 20_000 * reference.pmf).pvalue > 1e-4


def test_the_chain_has_the_law_of_the_model() -> None:
    """Two coordinates and a discrete one, against quadrature over the square."""
    reference = QuadraticReference(
        np.array([2.0, 1.5]), np.array([3.0, 0.8]), np.array([1.0, 3.0]), np.array([0.4, 0.6])
    )
    theta = np.array([3.0, -1.0, 0.8])
    family = quadratic_exponential(reference, draws=100_000)
    # Gauss-Jacobi nodes are exact for the beta laws times polynomials
    from scipy.special import roots_jacobi

    (u, wu), (v, wv) = (roots_jacobi(40, b - 1, a - 1) for a, b in zip(*reference[:2], strict=True))
    x, y = np.meshgrid((1 + u) / 2, (1 + v) / 2, indexing="ij")
    rows, weights = [], []
    for value, chance in zip(reference.values, reference.pmf, strict=True):
        rows.append(np.stack([x * y, value * x, value * y], axis=-1).reshape(-1, 3))
        weights.append((np.outer(wu, wv) * chance).ravel() * np.exp(rows[-1] @ theta))
    s, w = np.concatenate(rows), np.concatenate(weights)
    w /= w.sum()
    mean = w @ s
    cov = (s - mean).T @ ((s - mean) * w[:, None])
    z = (family.mean(theta) - mean) / np.sqrt(np.diag(cov) / family.draws)
    # correlation of the chain: at most a few sweeps
    assert np.abs(z).max() < 8.0
    np.testing.assert_allclose(family.cov(theta), cov, rtol=0.05, atol=2e-4)
    np.testing.assert_allclose(family.mle(mean), theta, atol=0.15)


def test_threads_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    family = quadratic_exponential(QuadraticReference(np.ones(2), np.ones(2), np.empty(0), np.empty(0)), draws=100)
    many = family.sample([1.0], 50, 3)
    monkeypatch.setattr("asymptopia.theory._core.threads.usable_cores", lambda: 1)
    np.testing.assert_array_equal(family.sample([1.0], 50, 3), many)


def test_bad_references() -> None:
    x = np.random.default_rng(0).uniform(0.1, 1.0, (20, 2))
    with pytest.raises(ValueError, match="divide each column by its maximum"):
        quadratic_reference(x * 2)
    with pytest.raises(ValueError, match="constant"):
        quadratic_reference(np.column_stack([x, np.ones(20)]))
    # a lost decimal point: one entry a hundred thousand times the others
    lost = np.full(1000, 1e-5)
    lost[0] = 1.0
    with pytest.raises(ValueError, match="lost decimal point"):
        quadratic_reference(lost[:, None])
    with pytest.raises(ValueError, match=r"y\.shape"):
        quadratic_reference(x, [1, 2])
    one = QuadraticReference(np.ones(1), np.ones(1), np.empty(0), np.empty(0))
    with pytest.raises(ValueError, match="there is no product"):
        quadratic_exponential(one)
    two = quadratic_reference(x)
    with pytest.raises(ValueError, match="keep"):
        quadratic_exponential(two, keep=[1])
    with pytest.raises(ValueError, match="pmf"):
        quadratic_exponential(two._replace(values=np.array([1.0, 2.0]), pmf=np.array([0.5, 0.6])))
    family = quadratic_exponential(quadratic_reference(x, np.arange(20) % 2))
    with pytest.raises(ValueError, match="one of"):
        family.statistic([[0.5, 0.5, 7.0]])
    with pytest.raises(ValueError, match="numbers in"):
        family.statistic([[0.5, 1.5, 1.0]])
    with pytest.raises(ValueError, match="x and y"):
        family.statistic([[0.5, 0.5]])


@pytest.mark.slow
def test_red_wine() -> None:
    data = red_wine()
    if data is None:
        pytest.skip(HINT)
    reference = quadratic_reference(data.x, data.y)
    np.testing.assert_allclose(reference.a[[0, 7]], [10.362, 1928.5], rtol=1e-4)
    np.testing.assert_allclose(reference.b[[0, 7]], [9.442, 13.43], rtol=1e-3)
    rows = np.column_stack([data.x, data.y])
    family = quadratic_exponential(reference, draws=24_000)
    assert family.dim == 66
    # of each pair of statistics with a correlation above 0.95 the later one goes: 46 are left
    corr = np.abs(np.corrcoef(family.statistic(rows).T))
    later = np.flatnonzero((np.triu(corr, 1) > 0.95).any(axis=0)) + 1
    assert later.tolist() == [8, 17, 19, 24, 25, 27, 32, 34, 38, 40, 43, 45, 46, 47, 49, 53, 58, 61, 62, 64]
    truth = resolve_truth(family, rows)
    theta = family.mle(truth.centre())
    value, error, _ = family.contractions_with_error(theta, truth_cov=truth.cov, truth_third=truth.third)
    # published by an independent run of 3 x 200 000 draws, with its own noise
    for name, wanted, noise in (
        ("t0", 45.43, 0.1),
        ("t1", 2418, 19),
        ("t21", 2091, 46),
        ("t22", 1761, 30),
        ("t31", 4107, 76),
    ):
        se = np.hypot(getattr(error, name), noise)
        assert abs(getattr(value, name) - wanted) < 5 * se, name
    assert value.t0 / 3198 < 0.0150
