"""Exact radius: oracles, polynomial roots, counts in ball arithmetic, invariances, hard instances."""

import math

import numpy as np
import pytest
from accuracy import relative_error
from hypothesis import given, settings
from hypothesis import strategies as st
from softmax_families import ORACLES, batches

from asymptopia.theory._core import threads
from asymptopia.theory.softmax.arguments import rows_of
from asymptopia.theory.softmax.certify import count_zeros
from asymptopia.theory.softmax.exact import CERTIFIED, MULTIPLE, UNSETTLED, direct, exact_radius, smallest_radius

needs_flint = pytest.mark.usefixtures("flint")


@pytest.fixture
def flint():
    return pytest.importorskip("flint", reason="python-flint is not installed; extra certify")


def exact(z, a):
    return exact_radius(rows_of(z, a))


def binomial(degree):
    return np.array([math.log(math.comb(degree, k)) for k in range(degree + 1)]), np.arange(degree + 1.0)


@pytest.mark.parametrize("name", ORACLES)
def test_oracles(name):
    z, a, radius, zero = ORACLES[name]
    found = exact(z, a)
    assert relative_error(found.radius[0], radius) < 1e-14
    assert found.zero[0].real == pytest.approx(float(zero[0]), abs=1e-14 * float(radius))
    assert found.zero[0].imag == pytest.approx(float(zero[1]), abs=1e-14 * float(radius))
    assert found.verdict[0] == CERTIFIED
    assert found.multiplicity[0] == 1
    assert found.lower[0] <= float(radius) * (1 + 1e-15) <= found.upper[0] * (1 + 2e-15)
    assert found.upper[0] - found.lower[0] < 1e-10 * found.radius[0]


@needs_flint
def test_counts_in_ball_arithmetic_on_random_instances():
    checked = 0
    for _name, z, a in batches(1, seed=5):
        found = exact(z, a)
        for i in range(len(z)):
            if z.shape[1] == 2 or found.radius[i] * found.half_span[i] > 5e3:
                continue
            assert count_zeros(z[i], a[i], found.lower[i] * (1 - 1e-11), 128) == 0
            assert count_zeros(z[i], a[i], found.upper[i] * (1 + 1e-11), 128) == found.multiplicity[i]
            checked += 1
    assert checked > 40


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=12), st.integers(-3, 3))
def test_commensurate_slopes_against_polynomial_roots(weights, shift):
    degree = len(weights) - 1
    roots = np.roots(np.array(weights[::-1], dtype=float))
    logs = np.abs(np.log(roots.astype(complex)))
    found = exact(np.log(weights), shift + 0.5 * np.arange(degree + 1))
    expected = logs.min() / 0.5
    near = np.abs(roots[:, None] - roots[None, :]) + 10.0 * np.eye(degree)
    # double roots cost half the digits of both methods
    tolerance = 1e-9 if near.min() > 1e-3 else 1e-4
    assert found.verdict[0] != UNSETTLED
    assert found.radius[0] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("classes", [3, 4, 10, 33, 100])
def test_equal_spacing_and_weights(classes):
    found = exact(np.zeros(classes), 0.7 * np.arange(classes))
    assert found.radius[0] == pytest.approx(2 * math.pi / (classes * 0.7), rel=1e-13)


@pytest.mark.parametrize("degree", [2, 3, 4, 6, 8])
def test_binomial_weights_have_one_zero_of_that_multiplicity(degree):
    found = exact(*binomial(degree))
    assert found.radius[0] == pytest.approx(math.pi, rel=1e-6)
    assert found.multiplicity[0] == degree
    assert found.verdict[0] == MULTIPLE
    assert found.lower[0] < math.pi < found.upper[0]


@needs_flint
@pytest.mark.parametrize("degree", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("change", [1e-12, 1e-9, 1e-6, 1e-3])
def test_nearly_multiple_zeros_are_enclosed(degree, change):
    z, a = binomial(degree)
    z = z + change * np.random.default_rng(degree).normal(size=z.size)
    found = exact(z, a)
    assert found.verdict[0] != UNSETTLED
    assert count_zeros(z, a, found.lower[0] * (1 - 1e-13), 256) == 0
    assert count_zeros(z, a, found.upper[0] * (1 + 1e-11), 256) >= 1


@pytest.mark.parametrize("degree", [20, 60])
def test_what_rounding_hides_is_said_to_be_open(degree):
    z, a = binomial(degree)
    found = exact(z, a)
    # the zeros of the rounded weights lie around i pi, at half its size and more
    assert 0.1 * math.pi < found.lower[0] < math.pi
    assert found.verdict[0] in {MULTIPLE, UNSETTLED}
    if found.verdict[0] == UNSETTLED:
        assert found.radius[0] == found.lower[0]
        assert found.upper[0] == math.inf
        assert np.isnan(found.zero[0])
        assert found.multiplicity[0] == 0


@pytest.mark.parametrize(
    ("z", "a"),
    [((30, 0, 0), (0, 1, -1)), ((2, 1, 1, 0, 0), (0, 0.6, -0.6, 1, -1)), ((0, 0, 0, 3, 3), (0, 0.2, -0.2, 1, -1))],
)
def test_symmetric_instances_have_two_nearest_zeros(z, a):
    found = exact(z, a)
    zero = found.zero[0]
    assert zero.real >= -1e-14
    t = np.array([zero, -np.conj(zero)])
    terms = np.exp(np.array(z)[:, None] - max(z) + np.outer(a, t))
    assert (np.abs(terms.sum(axis=0)) < 1e-12 * np.abs(terms).sum(axis=0)).all()
    assert found.multiplicity[0] == (2 if zero.real > 1e-9 else 1)


def test_zeros_are_zeros():
    for name, z, a in batches(40, seed=9):
        found = exact(z, a)
        t = found.zero[:, None]
        power = z + a * t
        power -= power.real.max(axis=1, keepdims=True)
        terms = np.exp(power)
        residual = np.abs(terms.sum(axis=1)) / np.abs(terms).sum(axis=1)
        size = np.abs(found.zero) * np.abs(a).max(axis=1) + np.abs(z).max(axis=1)
        assert (residual < 1e-12 + 2e-15 * size).all(), name
        np.testing.assert_allclose(np.abs(found.zero), found.radius, rtol=1e-15)


INVARIANT = [
    ("shift of the logits", lambda z, a: (z + 7.25, a), lambda t: t),
    ("shift of the slopes", lambda z, a: (z, a - 3.5), lambda t: t),
    ("scale of the slopes", lambda z, a: (z, 8 * a), lambda t: t / 8),
    ("permutation", lambda z, a: (z[:, ::-1], a[:, ::-1]), lambda t: t),
    ("sign of the slopes", lambda z, a: (z, -a), lambda t: -np.conj(t)),
    (
        "a class in two",
        lambda z, a: (
            np.hstack([z[:, :1] - math.log(4.0), z[:, :1] + math.log(0.75), z[:, 1:]]),
            a[:, [0, *range(a.shape[1])]],
        ),
        lambda t: t,
    ),
    (
        "a class that cannot occur",
        lambda z, a: (np.hstack([z, np.full((len(z), 1), -np.inf)]), np.hstack([a, np.full((len(a), 1), 99.0)])),
        lambda t: t,
    ),
]


@pytest.mark.parametrize(("change", "back"), [case[1:] for case in INVARIANT], ids=[case[0] for case in INVARIANT])
def test_invariances(change, back):
    rng = np.random.default_rng(12)
    z, a = 2.0 * rng.normal(size=(200, 6)), np.round(rng.normal(size=(200, 6)), 2)
    one, other = exact(z, a), exact(*change(z, a))
    np.testing.assert_allclose(np.abs(back(one.zero)), other.radius, rtol=2e-13)
    np.testing.assert_allclose(back(one.zero).imag, other.zero.imag, rtol=1e-11)
    np.testing.assert_array_equal(one.multiplicity, other.multiplicity)
    np.testing.assert_array_equal(one.n_levels, other.n_levels)


def test_two_levels_of_many_classes():
    z = np.array([0.3, 1.0, -2.0, 0.5, 4.0])
    odds = np.logaddexp.reduce(z[:3]) - np.logaddexp.reduce(z[3:])
    found = exact(z, [2.0, 2.0, 2.0, -1.0, -1.0])
    assert found.n_levels[0] == 2
    assert found.radius[0] == pytest.approx(math.hypot(odds, math.pi) / 3, rel=1e-15)
    assert found.zero[0] == pytest.approx(complex(-odds, math.pi) / 3, rel=1e-14)


def test_excess_over_two_levels_is_strict():
    found = exact([0.0, 0.0, -18.0], [0.0, 1.0, 0.5])
    # |F| gains exp(-18) along the bisector: a second-order excess of (exp(-18)/2)^2 pi is below rounding, not below pi
    assert found.radius[0] >= math.pi * (1 - 1e-15)
    assert exact([0.0, 0.0, -5.0], [0.0, 1.0, 0.5]).radius[0] > math.pi


def test_entire():
    found = exact([[0.0, 1.0, 2.0], [1.0, -np.inf, -np.inf]], [[3.0, 3.0, 3.0], [1.0, 2.0, 3.0]])
    assert found.radius.tolist() == found.lower.tolist() == found.upper.tolist() == [math.inf] * 2
    assert np.isnan(found.zero).all()
    assert found.n_levels.tolist() == [1, 1]
    assert found.multiplicity.tolist() == [0, 0]


@pytest.mark.parametrize("size", [1e2, 1e5, 1e9, 1e15, 1e100, 1e300])
def test_huge_logits(size):
    found = exact([size, 0.0, 0.0, -size], [0.0, 1.0, -1.0, 0.5])
    assert found.radius[0] == pytest.approx(math.hypot(size, math.pi), rel=1e-14)
    assert found.zero[0].imag == pytest.approx(math.pi, rel=1e-9)
    assert found.multiplicity[0] == 2
    one = exact([size, 0.25 * size, 1.0, -size], [0.0, 1.0, -1.0, 0.5])
    assert one.radius[0] == pytest.approx(0.75 * size, rel=1e-2 if size < 1e3 else 1e-8)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-5, 1e5, 1e150, 1e300])
def test_scale_of_slopes(scale):
    z, a, radius, _ = ORACLES["O3"]
    assert exact(z, scale * np.array(a)).radius[0] * scale == pytest.approx(float(radius), rel=1e-14)


def test_slopes_at_the_ends_of_the_floats():
    wide = exact([0.0, 1.0, 2.0], [1.7e308, -1.7e308, 0.0])
    assert wide.radius[0] == pytest.approx(exact([0.0, 1.0, 2.0], [1.0, -1.0, 0.0]).radius[0] / 1.7e308, rel=1e-13)
    # the radius is beyond the floats
    tiny = exact([0.0, 1.0, 2.0], [1e-320, 2e-320, 4e-320])
    assert tiny.radius[0] == math.inf
    assert np.isnan(tiny.zero[0])
    # and so are differences of slopes beside the others
    mixed = exact([0.0, 1.0, 2.0, 1.0], [1e-300, 2e-300, 1.0, 0.0])
    assert mixed.radius[0] == pytest.approx(exact([0.0, 1.0, 2.0, 1.0], [0, 0, 1.0, 0.0]).radius[0], rel=1e-14)


@pytest.mark.parametrize("gap", [1e-4, 1e-8, 1e-12, 1e-15])
def test_nearly_equal_slopes(gap):
    together = exact([0.5, 0.3, 0.0, -1.0], [1.0, 1.0, 0.0, 0.4])
    apart = exact([0.5, 0.3, 0.0, -1.0], [1.0, 1.0 + gap, 0.0, 0.4])
    assert apart.radius[0] == pytest.approx(together.radius[0], rel=5 * gap + 1e-13)
    assert apart.verdict[0] == CERTIFIED


def test_levels_of_nearly_one_slope_that_swap_far_away():
    # the top two tie at t = 0 with a gap of 1e-7: their own zero lies at pi/1e-7, the third's is the nearest
    found = exact([5.0, 5.0, 0.0], [1.0, 1.0 + 1e-7, 0.0])
    assert found.radius[0] == pytest.approx(math.hypot(5.0 + math.log(2.0), math.pi), rel=1e-6)


def test_threads_do_not_change_a_bit(monkeypatch):
    rng = np.random.default_rng(2)
    rows = rows_of(3 * rng.normal(size=(3000, 8)), rng.normal(size=(3000, 8)))
    results = []
    for cores in (1, 2, 5):
        monkeypatch.setattr(threads, "usable_cores", lambda cores=cores: cores)
        results.append(exact_radius(rows))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_pruning_finds_the_least():
    for name, z, a in batches(60, seed=31):
        rows = rows_of(z, a)
        found = exact_radius(rows)
        least = smallest_radius(rows, np.pi / (2 * found.half_span))
        assert least.radius == found.radius.min(), name
        assert least.row == np.argmin(found.radius), name
        assert (least.per_sample <= found.radius * (1 + 1e-12)).all(), name
        assert least.solved <= len(z)


def test_pruning_of_entire_rows():
    rows = rows_of([[0.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [2.0, 2.0]])
    assert smallest_radius(rows, np.full(2, np.inf)).radius == math.inf


def test_merge_sort_is_stable():
    rng = np.random.default_rng(0)
    for size in (1, 2, 15, 16, 17, 31, 33, 64, 65, 1000, 4097):
        a = rng.integers(0, max(2, size // 3), size=size).astype(float)
        np.testing.assert_array_equal(direct().ascending(a), np.argsort(a, kind="stable"))


def test_a_centre_where_the_derivative_vanishes_is_no_zero() -> None:
    # F = cosh has the derivative 0 at 0 to the last bit: a division by it would raise
    found = direct().group(np.array([0.5, 0.5]), np.array([-1.0, 1.0]), 2, 0j, np.empty(direct().scratch(2)))
    assert found[3] == 0
