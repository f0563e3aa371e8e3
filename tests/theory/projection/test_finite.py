"""Families on finitely many states: moments by brute force, existence of the estimate, log-linear models."""

from __future__ import annotations

from itertools import product

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asymptopia.theory.projection.errors import MLEDoesNotExistError, NotMinimalError
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families.finite import FiniteSupport
from asymptopia.theory.projection.families.hull import hull_position
from asymptopia.theory.projection.families.loglinear import LogLinear
from asymptopia.theory.projection.families.protocol import ExponentialFamily
from asymptopia.theory.projection.stable_risk import log_mean_exp

FOUR = np.arange(4.0)


def quadratic() -> FiniteSupport:
    return FiniteSupport(np.stack([FOUR, FOUR**2], axis=1))


def test_the_quadratic_model_on_four_points() -> None:
    found = kl_risk_expansion(quadratic(), truth=np.array([0.2, 0.35, 0.15, 0.3]))
    np.testing.assert_allclose(
        found.theta_star, [0.042447469837228505866, -0.00080121839278903682533], rtol=0, atol=2e-14
    )
    c = found.contractions
    wanted = 1.9865184044058488829, 1.8759288643649817, 0.64627369294384795, 1.8619487319661729, -3.4080523047171568
    np.testing.assert_allclose((c.t0, c.t1, c.t21, c.t22, c.t31), wanted, rtol=1e-12)
    assert found.c2 == pytest.approx(2.2915241766425125759, rel=1e-12)
    assert found.optimism2 == pytest.approx(2.9511472986141844497, rel=1e-12)


def cumulants_by_definition(family: FiniteSupport, theta: np.ndarray) -> tuple[np.ndarray, ...]:
    s, _, p = family.support().statistic, None, family.probabilities(theta)
    r = s - p @ s
    g = np.einsum("a,ai,aj->ij", p, r, r)
    q = np.einsum("a,ai,aj,ak,al->ijkl", p, r, r, r, r)
    q -= sum(np.einsum(f"{pair},{rest}->ijkl", g, g) for pair, rest in (("ij", "kl"), ("ik", "jl"), ("il", "jk")))
    return p @ s, g, np.einsum("a,ai,aj,ak->ijk", p, r, r, r), q


def test_moments_by_definition() -> None:
    rng = np.random.default_rng(0)
    family = FiniteSupport(rng.normal(size=(9, 3)), log_base=rng.normal(size=9))
    theta = rng.normal(size=3)
    logs = family.support().log_base + family.support().statistic @ theta
    np.testing.assert_allclose(family.probabilities(theta), np.exp(logs) / np.exp(logs).sum(), rtol=1e-14)
    assert family.log_partition(theta) == pytest.approx(np.log(np.exp(logs).sum()), rel=1e-14)
    mean, g, third, q = cumulants_by_definition(family, theta)
    w = np.array([[1.0, 0.3, -0.2], [0.3, 2.0, 0.5], [-0.2, 0.5, 0.7]])
    np.testing.assert_allclose(family.mean(theta), mean, rtol=1e-13)
    np.testing.assert_allclose(family.cov(theta), g, rtol=1e-12)
    np.testing.assert_allclose(family.third(theta), third, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(family.fourth(theta, w), np.einsum("ikmo,ik->mo", q, w), rtol=1e-11, atol=1e-13)


def test_contractions_agree_with_the_tensors() -> None:
    rng = np.random.default_rng(1)
    family = FiniteSupport(rng.normal(size=(12, 4)))
    theta = 0.5 * rng.normal(size=4)
    root = rng.normal(size=(4, 4))
    third = np.einsum("ai,aj,ak->ijk", root, root, root)
    cov = root.T @ root
    fast = family.contractions(theta, truth_cov=cov, truth_third=third)
    slow = ExponentialFamily.contractions(family, theta, truth_cov=cov, truth_third=third)
    np.testing.assert_allclose(fast, slow, rtol=1e-10)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_the_fit_inverts_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 5))
    family = FiniteSupport(rng.normal(size=(p + 1 + int(rng.integers(0, 20)), p)))
    theta = rng.normal(size=p) * rng.choice([0.1, 1.0, 4.0])
    assume(family.probabilities(theta).min() > 1e-10)
    mean = family.mean(theta)
    np.testing.assert_allclose(family.mean(family.mle(mean)), mean, rtol=1e-11, atol=1e-13)


def test_units_and_origin_of_the_statistic_do_not_matter() -> None:
    x = np.arange(41.0)
    powers = np.stack([x, x**2, x**3, x**4], axis=1)
    weights = np.exp(-(((x - 15) / 9) ** 2))
    mean = weights @ powers / weights.sum()
    found = FiniteSupport(powers).mle(mean)
    moved = FiniteSupport(powers * 1e3 + 7.0).mle(mean * 1e3 + 7.0)
    np.testing.assert_allclose(found[:2], [30.0 / 81.0, -1.0 / 81.0], rtol=1e-6)
    np.testing.assert_allclose(moved * 1e3, found, rtol=1e-5, atol=1e-11)


@pytest.mark.parametrize("q", [1e-9, 1e-6, 0.3, 1 - 1e-6])
def test_rare_states_have_estimates(q: float) -> None:
    theta = FiniteSupport(np.array([0.0, 1.0])).mle([q])
    assert theta[0] == pytest.approx(np.log(q) - np.log1p(-q), rel=1e-7)


@pytest.mark.parametrize(
    "mean", [(0.0, 0.0), (3.0, 9.0), (1.0, 1.0), (0.5, 0.5), (1.5, 2.5), (2.5, 6.5), (1.5, 4.5), (1.5, 2.0), (5.0, 5.0)]
)
def test_no_estimate_on_vertices_edges_and_outside(mean: tuple[float, float]) -> None:
    with pytest.raises(MLEDoesNotExistError, match="the likelihood grows for ever along u"):
        quadratic().mle(mean)


def test_the_direction_of_growth_is_named() -> None:
    # the edge from (0, 0) to (3, 9): no state is above 3 x
    with pytest.raises(
        MLEDoesNotExistError, match=r"value of u = -1\*statistic\[0\] \+ 0\.333333\*statistic\[1\] than"
    ):
        quadratic().mle([1.5, 4.5])
    # no observation has both, x0 = 1 and x1 = 2
    family = LogLinear([2, 3])
    rows = family.statistic([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]])
    with pytest.raises(MLEDoesNotExistError, match=r"larger value of u = -1\*\[x0=1:x1=2\] than the mean has, 5 have"):
        family.mle(rows.mean(axis=0))
    # its opposite: long combinations are cut
    rows = family.statistic([[1, 2], [0, 1], [0, 2], [1, 0], [1, 1]])
    with pytest.raises(MLEDoesNotExistError, match=r"\[x0=1\] .*\[x0=1:x1=2\] than the mean has, 5 have"):
        family.mle(rows.mean(axis=0))


def test_states_of_one_column_may_be_numbers() -> None:
    law = {0: 0.2, 1: 0.3, 2: 0.5}
    tuples = {(value,): share for value, share in law.items()}
    wide = FiniteSupport([0.0, 1.0, 4.0], states=[[0], [1], [2]])
    for family in (LogLinear([3], 1), wide):
        one, other = (kl_risk_expansion(family, truth=truth) for truth in (law, tuples))
        assert one == other
        np.testing.assert_array_equal(family.statistic([2, 0]), family.statistic([[2], [0]]))
    # three cells: the saturated family, S1 = 1/0.2 + 1/0.3 + 1/0.5
    assert kl_risk_expansion(LogLinear([3], 1), truth=law).c2 == pytest.approx(5 / 12 * (31 / 3) - 1.5 + 1 / 12)
    with pytest.raises(ValueError, match=r"x.shape is \(3,\); expected \(n, 2\)"):
        LogLinear([2, 2]).statistic([0, 1, 0])


def test_the_direction_of_growth_grows() -> None:
    points = quadratic().support().statistic
    found = hull_position(points, [0.5, 0.5])
    assert not found.interior
    assert found.direction is not None
    gain = points @ found.direction - np.array([0.5, 0.5]) @ found.direction
    np.testing.assert_allclose(gain[:2], 0.0, atol=1e-12)
    assert (gain[2:] < -0.1).all()
    assert found.touching == 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_hull_of_integer_points(seed: int) -> None:
    """A mixture of all points is inside; a mixture of those on a supporting line is not."""
    rng = np.random.default_rng(seed)
    points = rng.integers(-3, 4, size=(int(rng.integers(5, 40)), 2)).astype(float)
    if np.linalg.matrix_rank(points - points[0]) < 2:
        return
    weights = rng.dirichlet(np.ones(len(points)))
    assert hull_position(points, weights @ points).interior
    face = points @ np.array([1.0, 2.0]) >= (points @ np.array([1.0, 2.0])).max()
    part = weights * face
    assert not hull_position(points, part @ points / part.sum()).interior


def test_a_large_support_is_decided_by_cutting_planes() -> None:
    rng = np.random.default_rng(3)
    points = rng.integers(0, 30, size=(20_000, 3)).astype(float)
    assert hull_position(points, points.mean(axis=0)).interior
    face = points[:, 0] == 29.0
    found = hull_position(points, points[face].mean(axis=0))
    assert not found.interior
    assert found.touching == face.sum()
    np.testing.assert_allclose(found.direction, [1.0, 0.0, 0.0], atol=1e-9)


def test_collinear_statistics_are_named() -> None:
    with pytest.raises(NotMinimalError) as error:
        FiniteSupport(np.stack([FOUR, FOUR**2, 2 * FOUR - FOUR**2 + 1.0], axis=1))
    np.testing.assert_allclose(error.value.directions, [[-2.0, 1.0, 1.0]], atol=1e-9)
    with pytest.raises(NotMinimalError) as error:
        FiniteSupport(np.stack([FOUR, np.full(4, 5.0)], axis=1))
    np.testing.assert_allclose(error.value.directions, [[0.0, 1.0]])
    with pytest.raises(NotMinimalError):
        FiniteSupport(np.eye(3))


def test_natural_inverts_usual_and_refuses_what_is_outside() -> None:
    family = quadratic()
    theta = family.natural(theta=[0.3, -0.2])
    assert not theta.flags.writeable
    np.testing.assert_allclose(family.natural(**family.usual(theta)), theta, atol=1e-13)
    with pytest.raises(ValueError, match="truth="):
        family.natural([0.2, 0.35, 0.15, 0.3])
    with pytest.raises(ValueError, match=r"probs\[3\] is 0.0"):
        family.natural([0.2, 0.5, 0.3, 0.0])
    with pytest.raises(ValueError, match="sum"):
        family.natural([0.2, 0.5, 0.3, 0.1])
    with pytest.raises(TypeError, match="either"):
        family.natural()


def test_divergence_near_and_far() -> None:
    family = quadratic()
    star = np.array([0.3, -0.2])
    p = family.probabilities(star)
    for hat in ([0.4, -0.1], [5.0, 3.0], [-300.0, 100.0]):
        q = np.exp(family.support().statistic @ np.array(hat) - family.log_partition(hat))
        direct = p @ (np.log(p) - np.log(np.maximum(q, 1e-300)))
        if q.min() > 1e-290:
            assert family.divergence(star, hat) == pytest.approx(direct, rel=1e-12)
        assert family.divergence(star, hat) > 0
    delta = np.array([1e-9, -2e-9])
    half = 0.5 * delta @ family.cov(star) @ delta
    assert family.divergence(star, star + delta) == pytest.approx(half, rel=1e-6)
    assert family.divergence(star, star) == 0.0
    assert log_mean_exp(np.array([-1e-200, 1e-200]), np.array([0.5, 0.5])) == 0.0


def test_divergence_of_rare_states() -> None:
    # the mean of exp(z) is 1 + 2e-10 although z goes up to 3
    family = FiniteSupport([0.0, 1.0])
    with mp.workdps(30):
        p, q = 1 / (1 + mp.exp(25)), 1 / (1 + mp.exp(22))
        exact = p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q))
    assert family.divergence([-25.0], [-22.0]) == pytest.approx(float(exact), rel=1e-14)


def test_states_are_data_values() -> None:
    family = FiniteSupport([[1.0], [4.0], [9.0]], states=[1, 2, 3])
    np.testing.assert_array_equal(family.statistic([3, 1, 1]), [[9.0], [1.0], [1.0]])
    np.testing.assert_array_equal(family.statistic(2), [[4.0]])
    words = FiniteSupport([[1.0], [0.0], [0.0]], states=np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(words.statistic(["b", "a"]), [[0.0], [1.0]])
    rows = FiniteSupport([[0.0], [1.0]], states=[[0, 0], [0, 1]])
    np.testing.assert_array_equal(rows.statistic([0, 1]), [[1.0]])
    assert rows.sample([0.0], 5, 0).shape == (5, 2)
    with pytest.raises(ValueError, match=r"x\[1\] is"):
        family.statistic([1, 5])
    with pytest.raises(ValueError, match="finite"):
        family.statistic([1.0, np.nan])
    with pytest.raises(ValueError, match="shape"):
        rows.statistic([[0, 0, 0]])


def test_draws_have_the_probabilities() -> None:
    family = quadratic()
    theta = np.array([1.0, -0.3])
    p = family.probabilities(theta)
    counts = np.bincount(family.sample(theta, 40_000, 1), minlength=4)
    assert (((counts - 40_000 * p) ** 2 / (40_000 * p)).sum()) < 21.1  # chi-square of 3 at 1e-4
    np.testing.assert_array_equal(family.sample(theta, 7, 5), family.sample(theta, 7, 5))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"statistic": [[1.0], [np.nan]]}, ValueError, r"statistic\[1, 0\]"),
        ({"statistic": ["a", "b"]}, TypeError, "dtype"),
        ({"statistic": np.zeros((2, 2, 2))}, ValueError, "shape"),
        ({"statistic": [1.0, 2.0], "log_base": [0.0]}, ValueError, "log_base.shape"),
        ({"statistic": [1.0, 2.0], "log_base": [0.0, -np.inf]}, ValueError, "finite"),
        ({"statistic": [1.0, 2.0], "states": [1, 1]}, ValueError, "twice"),
        ({"statistic": [1.0, 2.0], "states": [1]}, ValueError, "states.shape"),
    ],
)
def test_bad_supports(arguments: dict[str, object], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        FiniteSupport(**arguments)  # type: ignore[arg-type]


def test_bad_arguments_of_methods() -> None:
    family = quadratic()
    for call in (family.mean, family.log_partition, family.mle):
        with pytest.raises(ValueError, match="shape"):
            call([1.0])
        with pytest.raises(ValueError, match="finite"):
            call([np.nan, 1.0])
    with pytest.raises(ValueError, match=r"w.shape"):
        family.fourth([0.0, 0.0], np.eye(3))


def test_independence_of_binaries_is_a_sum_of_bernoullis_whatever_the_dependence() -> None:
    rng = np.random.default_rng(4)
    joint = rng.dirichlet(np.ones(16)).reshape(2, 2, 2, 2)
    found = kl_risk_expansion(LogLinear([2] * 4, 1), truth=joint)
    q = [joint.sum(axis=tuple(set(range(4)) - {j}))[1] for j in range(4)]
    assert found.c1 == pytest.approx(2.0, rel=1e-12)
    assert found.c2 == pytest.approx(sum(5 / (12 * r * (1 - r)) - 11 / 12 for r in q), rel=1e-11)
    np.testing.assert_allclose(found.theta_star, [np.log(r / (1 - r)) for r in q], rtol=1e-11)


def test_the_saturated_table_is_a_multinomial() -> None:
    probs = np.array([[0.1, 0.2, 0.15], [0.3, 0.05, 0.2]])
    family = LogLinear([2, 3], 2)
    found = kl_risk_expansion(family, family.natural(probs))
    assert found.c1 == pytest.approx(2.5)
    assert found.c2 == pytest.approx(5 / 12 * (1 / probs).sum() - 3 + 1 / 12, rel=1e-11)


def test_codings_are_the_same_family() -> None:
    rng = np.random.default_rng(5)
    data = np.stack([rng.integers(0, k, 300) for k in (2, 3, 2)], axis=1)
    corner, effect = (LogLinear([2, 3, 2], [(0, 1), (2,)], coding=coding) for coding in ("corner", "sum"))
    assert corner.labels == ("x0=1", "x1=1", "x1=2", "x2=1", "x0=1:x1=1", "x0=1:x1=2")
    fits = [f.probabilities(f.mle(f.statistic(data).mean(axis=0))) for f in (corner, effect)]
    np.testing.assert_allclose(fits[0], fits[1], rtol=1e-11)
    # the margins of the model are those of the data
    table = fits[0].reshape(2, 3, 2)
    np.testing.assert_allclose(table.sum(axis=2), np.histogramdd(data[:, :2], (2, 3))[0] / 300, rtol=1e-12)
    a, b = (kl_risk_expansion(f, truth=data) for f in (corner, effect))
    assert a.c2 == pytest.approx(b.c2, rel=1e-10)
    np.testing.assert_allclose(corner.usual(corner.mle(corner.statistic(data).mean(axis=0)))["probs"], table)


def test_separation_has_no_estimate() -> None:
    family = LogLinear([2, 2], 2)
    with pytest.raises(MLEDoesNotExistError):
        family.mle(family.statistic([[0, 0], [1, 1], [1, 1]]).mean(axis=0))


def test_positive_margins_do_not_suffice() -> None:
    """Haberman's table: all pairs of margins are positive, two opposite cells are empty, no estimate exists."""
    family = LogLinear([2, 2, 2], 2)
    cells = np.array([c for c in product((0, 1), repeat=3) if c not in {(0, 0, 0), (1, 1, 1)}])
    rows = family.statistic(np.repeat(cells, [3, 1, 4, 1, 5, 9], axis=0))
    with pytest.raises(MLEDoesNotExistError, match="6 have the same"):
        family.mle(rows.mean(axis=0))
    # one empty cell is harmless
    rows = family.statistic(np.concatenate([cells, [[0, 0, 0]]]))
    assert np.isfinite(family.mle(rows.mean(axis=0))).all()


def test_every_estimate_of_small_tables_is_decided_as_by_its_margins() -> None:
    """The 2 x 2 independence model: an estimate exists if and only if no margin is empty."""
    family = LogLinear([2, 2], 1)
    cells = np.array(list(product((0, 1), repeat=2)))
    for counts in product(range(3), repeat=4):
        if sum(counts) == 0:
            continue
        rows = family.statistic(np.repeat(cells, counts, axis=0))
        mean = rows.mean(axis=0)
        if (mean > 0).all() and (mean < 1).all():
            np.testing.assert_allclose(family.mle(mean), np.log(mean / (1 - mean)), atol=1e-12)
        else:
            with pytest.raises(MLEDoesNotExistError):
                family.mle(mean)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([2] * 21,), ValueError, "2097152 cells"),
        (([2, 1],), ValueError, r"levels\[1\]"),
        (([],), ValueError, "at least one factor"),
        ((4,), TypeError, "sequence"),
        (([2, 2], 3), ValueError, "interactions"),
        (([2, 2], [(0, 2)]), ValueError, r"interactions\[0\]"),
        (([2, 2], [(0, 0)]), ValueError, "different factors"),
        (([2, 2], [0]), TypeError, "tuple of factors"),
    ],
)
def test_bad_tables(arguments: tuple[object, ...], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        LogLinear(*arguments)  # type: ignore[arg-type]


def test_bad_codes() -> None:
    family = LogLinear([2, 3], 1)
    for row in ([0, 3], [0.5, 1], [-1, 0]):
        with pytest.raises(ValueError, match="a code from 0"):
            family.statistic([[0, 0], row])
    with pytest.raises(ValueError, match="one column of codes"):
        family.statistic([[0, 0, 0]])
    with pytest.raises(ValueError, match="coding"):
        LogLinear([2, 2], coding="dummy")
