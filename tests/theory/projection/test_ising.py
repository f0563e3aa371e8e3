"""The Ising model by Walsh-Hadamard transforms against its table of states."""

from __future__ import annotations

import numpy as np
import pytest

from asymptopia.theory.projection.errors import MLEDoesNotExistError, NotMinimalError
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families.finite import FiniteSupport
from asymptopia.theory.projection.families.ising import Ising
from asymptopia.theory.projection.families.walsh import spins, transform


def model(d: int, edges: list[tuple[int, int]] | None = None, seed: int = 0) -> tuple[Ising, np.ndarray]:
    family = Ising(d, edges)
    rng = np.random.default_rng(seed)
    return family, family.natural(0.3 * rng.normal(size=d), 0.3 * rng.normal(size=len(family.edges)))


@pytest.mark.parametrize("bits", [0, 1, 4, 5, 6, 11])
def test_the_transform_is_hadamards_matrix(bits: int) -> None:
    from scipy.linalg import hadamard

    values = np.random.default_rng(1).normal(size=2**bits)
    np.testing.assert_allclose(transform(values), hadamard(2**bits) @ values, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(transform(transform(values)), 2**bits * values, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize(("d", "edges"), [(1, None), (4, None), (6, [(0, 1), (4, 2), (3, 5)]), (3, [])])
def test_moments_are_those_of_the_table(d: int, edges: list[tuple[int, int]] | None) -> None:
    family, theta = model(d, edges)
    states = family.support()
    table = FiniteSupport(states.statistic, states=states.states)
    np.testing.assert_allclose(family.statistic(states.states), states.statistic)
    np.testing.assert_allclose(family.probabilities(theta), table.probabilities(theta), rtol=1e-12)
    assert family.log_partition(theta) == pytest.approx(table.log_partition(theta), rel=1e-13)
    np.testing.assert_allclose(family.mean(theta), table.mean(theta), atol=1e-14)
    np.testing.assert_allclose(family.cov(theta), table.cov(theta), atol=1e-14)
    np.testing.assert_allclose(family.third(theta), table.third(theta), atol=1e-13)
    w = np.random.default_rng(2).normal(size=(family.dim, family.dim))
    np.testing.assert_allclose(family.fourth(theta, w + w.T), table.fourth(theta, w + w.T), atol=1e-12)
    np.testing.assert_allclose(family.contractions(theta), table.contractions(theta), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(family.mle(family.mean(theta)), theta, atol=1e-12)
    hat = theta + 0.01
    assert family.divergence(theta, hat) == pytest.approx(table.divergence(theta, hat), rel=1e-11)


def test_the_energy_is_as_documented() -> None:
    family, theta = model(3, seed=3)
    h, j = family.usual(theta)["h"], family.usual(theta)["J"]
    states = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    weights = np.exp([h @ s + 0.5 * s @ j @ s for s in states])
    found = dict(zip(map(tuple, family.support().states.tolist()), family.probabilities(theta), strict=True))
    for state, weight in zip(states.tolist(), weights, strict=True):
        assert found[tuple(state)] == pytest.approx(weight / weights.sum(), rel=1e-12)
    np.testing.assert_allclose(family.natural(h, j), theta)


def test_free_spins_are_bernoullis() -> None:
    family = Ising(5, [])
    h = np.array([0.1, -0.4, 0.0, 0.9, 0.2])
    found = kl_risk_expansion(family, family.natural(h))
    q = 1 / (1 + np.exp(-2 * h))
    assert found.c1 == pytest.approx(2.5)
    assert found.c2 == pytest.approx((5 / (12 * q * (1 - q)) - 11 / 12).sum(), rel=1e-11)


def test_a_chain_of_spins_has_the_known_correlations() -> None:
    d = 12
    family = Ising(d, [(i, i + 1) for i in range(d - 1)])
    mean = family.mean(family.natural(0.0, 0.7))
    np.testing.assert_allclose(mean[:d], 0.0, atol=1e-14)
    np.testing.assert_allclose(mean[d:], np.tanh(0.7), rtol=1e-13)


def test_twenty_spins_are_exact() -> None:
    family = Ising(20, [(i, (i + 1) % 20) for i in range(20)])
    theta = family.natural(0.0, 0.4)
    t = np.tanh(0.4)
    ring = (t + t**19) / (1 + t**20)
    np.testing.assert_allclose(family.mean(theta)[20:], ring, rtol=1e-12)
    np.testing.assert_allclose(family.mle(family.mean(theta)), theta, atol=1e-10)


def test_draws_are_of_the_model() -> None:
    family, theta = model(4, seed=4)
    x = family.sample(theta, 50_000, 1)
    assert set(np.unique(x).tolist()) == {-1, 1}
    z = (family.statistic(x).mean(axis=0) - family.mean(theta)) / np.sqrt(np.diag(family.cov(theta)) / 50_000)
    assert np.abs(z).max() < 4.5
    np.testing.assert_array_equal(spins(family.state_index(x), 4), x)


def test_no_estimate_on_the_marginal_polytope() -> None:
    family = Ising(3)
    with pytest.raises(MLEDoesNotExistError):
        family.mle(family.statistic([[1, 1, 1], [1, -1, 1], [1, 1, -1]]).mean(axis=0))
    # all correlations -1/3: the facet x12 + x13 + x23 >= -1
    named = r"value of u = -1\*x0\*x1 - 1\*x0\*x2 - 1\*x1\*x2 than the mean has, 6 have the same"
    with pytest.raises(MLEDoesNotExistError, match=named):
        family.mle([0, 0, 0, -1 / 3, -1 / 3, -1 / 3])
    with pytest.raises(MLEDoesNotExistError):
        family.mle([0, 0, 0, -0.5, -0.5, -0.5])
    assert np.isfinite(family.mle([0, 0, 0, -0.33, -0.33, -0.33])).all()


def test_one_spin_may_be_a_vector() -> None:
    np.testing.assert_array_equal(Ising(1).statistic([1, -1, 1]), [[1.0], [-1.0], [1.0]])
    with pytest.raises(ValueError, match=r"x.shape is \(3,\); expected \(n, 2\)"):
        Ising(2).statistic([1, -1, 1])


def test_nonexistence_with_many_states() -> None:
    family = Ising(13)
    few = family.sample(np.zeros(family.dim), 6, 0)
    with pytest.raises(MLEDoesNotExistError):
        family.mle(family.statistic(few).mean(axis=0))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: Ising(21), ValueError, "from 1 to 20"),
        (lambda: Ising(2.0), TypeError, "integer"),
        (lambda: Ising(3, [(0, 3)]), ValueError, r"edges\[0\]"),
        (lambda: Ising(3, [(1, 1)]), ValueError, "two different spins"),
        (lambda: Ising(3, [(0, 1), (1, 0)]), NotMinimalError, "occurs twice"),
        (lambda: Ising(2).statistic([[0, 1]]), ValueError, r"2 \* x - 1"),
        (lambda: Ising(2).statistic([[1, 1, 1]]), ValueError, "one column a spin"),
        (lambda: Ising(2).natural([0.0]), ValueError, "h.shape"),
        (lambda: Ising(2).natural(0.0, [[0.0, 1.0], [0.0, 0.0]]), ValueError, "symmetric"),
        (lambda: Ising(2).natural(0.0, np.eye(2)), ValueError, "diagonal"),
        (lambda: Ising(2).natural(0.0, np.zeros((3, 3))), ValueError, "J.shape"),
        (lambda: Ising(2, []).natural(0.0, [[0.0, 1.0], [1.0, 0.0]]), ValueError, "not an edge"),
        (lambda: Ising(20).support(), ValueError, "fewer spins"),
    ],
)
def test_bad_arguments(call: object, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()  # type: ignore[operator]
