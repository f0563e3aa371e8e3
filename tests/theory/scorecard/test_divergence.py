"""Inference for any f-divergence: the numbers of the specification, precision near equality, designs, errors."""

from __future__ import annotations

import math
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error

from asymptopia.theory._core.result import Result
from asymptopia.theory.scorecard import ScorecardStatus, information_value, psi
from asymptopia.theory.scorecard.covariance import FixedBins, pseudo_count_shift
from asymptopia.theory.scorecard.fdivergence import divergence
from asymptopia.theory.scorecard.fmoments import (
    covariance_fmoments,
    independent_fmoments,
    paired_covariance,
    paired_fmoments,
)
from asymptopia.theory.scorecard.generators import KINDS, Generator, exp_divided_difference, generator_of
from asymptopia.theory.scorecard.shares import two_samples
from asymptopia.theory.scorecard.survey import survey_table

CHECKING = [139, 49, 164, 348], [135, 14, 105, 46]
TABLE = np.array([[90, 12, 3], [10, 80, 15], [1, 8, 85]])
ORDERS = (-2.5, -1.0, -0.3, 0.0, 1e-9, 0.3, 0.5, 1 - 1e-9, 1.0, 1.7, 2.0, 3.0)
GENERATORS = [Generator(kind) for kind in KINDS if kind != "alpha"] + [Generator("alpha", a) for a in ORDERS]


def f(generator, r):
    """The generator in its textbook form, for mpmath numbers."""
    a = generator.alpha
    if generator.kind == "alpha":
        a = mp.mpf(a)
        if a == 1:
            return r * mp.log(r) - r + 1
        if a == 0:
            return -mp.log(r) + r - 1
        return (r**a - a * r - (1 - a)) / (a * (a - 1))
    return {
        "kl": lambda: r * mp.log(r) - r + 1,
        "reverse-kl": lambda: -mp.log(r) + r - 1,
        "jeffreys": lambda: (r - 1) * mp.log(r),
        "js": lambda: (r * mp.log(2 * r / (1 + r)) + mp.log(2 / (1 + r))) / 2,
        "hellinger": lambda: (mp.sqrt(r) - 1) ** 2 / 2,
        "pearson": lambda: (r - 1) ** 2,
        "neyman": lambda: (1 - r) ** 2 / r,
    }[generator.kind]()


def by_definition(generator, x, y, a):
    """Value, variance and bias from the definition, derivatives by differences at 80 digits."""
    with mp.workdps(90):
        n, m, bins = sum(map(int, x)), sum(map(int, y)), len(x)
        a = mp.mpf(a)
        p = [(int(k) + a) / (n + a * bins) for k in x]
        q = [(int(k) + a) / (m + a * bins) for k in y]
        h = mp.mpf(10) ** -22

        def value(s, t):
            return t * f(generator, s / t)

        total = mp.fsum(value(s, t) for s, t in zip(p, q, strict=True))
        first, second, curve_p, curve_q = [], [], [], []
        for s, t in zip(p, q, strict=True):
            # central differences, with the next order taken off
            def slope(g, at, h):
                return (8 * (g(at + h) - g(at - h)) - (g(at + 2 * h) - g(at - 2 * h))) / (12 * h)

            hs, ht = h * s, h * t
            first.append(slope(lambda z, t=t: value(z, t), s, hs))
            second.append(slope(lambda z, s=s: value(s, z), t, ht))
            curve_p.append((value(s + hs, t) - 2 * value(s, t) + value(s - hs, t)) / hs**2)
            curve_q.append((value(s, t + ht) - 2 * value(s, t) + value(s, t - ht)) / ht**2)

        def variance(weights, values):
            centre = mp.fdot(weights, values)
            return mp.fdot(weights, [(v - centre) ** 2 for v in values])

        v = variance(p, first) / n + variance(q, second) / m
        bias = mp.fsum(s * (1 - s) * c for s, c in zip(p, curve_p, strict=True)) / (2 * n)
        bias += mp.fsum(s * (1 - s) * c for s, c in zip(q, curve_q, strict=True)) / (2 * m)
        bias += a * mp.fsum((1 - bins * s) * u for s, u in zip(p, first, strict=True)) / n
        bias += a * mp.fsum((1 - bins * s) * u for s, u in zip(q, second, strict=True)) / m
        return total, v, bias


@pytest.mark.parametrize(
    ("kind", "value", "se"),
    [
        ("kl", "0.356662027725859544", "0.0653106887934831503"),
        ("js", "0.0797843928295340766", "0.0130341798264548938"),
        ("hellinger", "0.0814669451008031893", "0.0136406704143977145"),
        ("pearson", "0.961306052027436233", "0.233106380072240152"),
        ("jeffreys", "0.666011503351333513", "0.114461008811322029"),
        ("reverse-kl", "0.309349475625473969", None),
    ],
)
def test_numbers_of_the_specification(kind, value, se):
    result = divergence(kind, *CHECKING)
    assert relative_error(result.estimate, value) < 1e-15
    if se is not None:
        assert relative_error(result.se, se) < 1e-15


@pytest.mark.parametrize("generator", GENERATORS, ids=str)
@pytest.mark.parametrize("a", [0.0, 0.5, 1.3])
def test_moments_by_definition(generator, a):
    rng = np.random.default_rng(3)
    tables = [CHECKING, (rng.integers(1, 900, 7), rng.integers(1, 90, 7)), ([1, 4000], [3000, 2])]
    for x, y in tables:
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        found = independent_fmoments(generator, two_samples(x, y, a), x.sum(), y.sum(), a)
        exact = by_definition(generator, x, y, a)
        for got, wanted, bound in zip(found, exact, (1e-13, 1e-13, 2e-12), strict=True):
            assert relative_error(got, wanted) < bound


@pytest.mark.parametrize("generator", GENERATORS, ids=str)
def test_precision_of_close_samples(generator):
    x, y = [10**12, 10**12 + 10**6, 10**12 - 10**6], [2 * 10**12, 2 * 10**12 + 7, 2 * 10**12]
    result = divergence(generator.kind, x, y, alpha=generator.alpha)
    value, variance, bias = by_definition(generator, x, y, 0)
    assert 1e-14 < result.estimate < 2e-12
    assert relative_error(result.estimate, value) < 1e-14
    assert relative_error(result.se**2, variance) < 1e-13
    assert relative_error(result.bias, bias) < 1e-13


def test_exp_divided_difference():
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, 300) * 10 ** rng.uniform(-9, 1.5, (2, 300))
    x[:20] = y[:20] * (1 + 1e-9)
    x[20:25], y[20:25] = 0.0, 1e-12
    found = exp_divided_difference(x, y)
    with mp.workdps(80):
        for got, s, t in zip(found, x, y, strict=True):
            s, t = mp.mpf(s), mp.mpf(t) * (1 + mp.mpf(10) ** -40) + mp.mpf(10) ** -45

            def rel(z):
                return mp.expm1(z) / z if z else mp.mpf(1)

            assert relative_error(got, (rel(s) - rel(t)) / (s - t)) < 2e-14


@pytest.mark.parametrize("smoothing", [0, 0.5, 2.0])
@pytest.mark.parametrize("counts", [CHECKING, ([221, 38, 61, 380], [89, 12, 31, 168]), ([1, 10**9], [10**9, 1])])
def test_jeffreys_is_the_information_value(counts, smoothing):
    found, iv = divergence("jeffreys", *counts, smoothing=smoothing), information_value(*counts, smoothing=smoothing)
    for name in ("estimate", "estimate_smoothed", "bias", "se", "statistic", "pvalue", "log_pvalue", "ci"):
        assert getattr(found, name) == pytest.approx(getattr(iv, name), rel=1e-13, abs=0)
    assert (found.dof, found.bins, found.n, found.m, found.n_eff) == (iv.dof, iv.bins, iv.n, iv.m, iv.n_eff)
    np.testing.assert_allclose(found.contributions, iv.contributions, rtol=1e-13)
    for method in ("delta", "log", "ncx2"):
        assert found.confidence_interval(0.9, method) == pytest.approx(iv.confidence_interval(0.9, method), rel=1e-12)


def test_jeffreys_is_the_stability_index_of_every_baseline():
    actual, known = [48, 102, 203, 297, 205, 95, 50], [0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05]
    pairs = [
        (divergence("jeffreys", actual, known, baseline="fixed"), psi(actual, known, baseline="fixed")),
        (divergence("jeffreys", *CHECKING, baseline="quantile"), psi(*CHECKING, baseline="quantile")),
        (divergence("jeffreys", TABLE, design="paired"), psi(TABLE, baseline="paired")),
    ]
    for found, index in pairs:
        for name in ("estimate", "estimate_smoothed", "bias", "se", "statistic", "pvalue", "ci"):
            assert getattr(found, name) == pytest.approx(getattr(index, name), rel=1e-12)
        np.testing.assert_allclose(found.null_weights, index.null_weights, rtol=1e-12)


def test_joint_is_two_sample():
    free, joint = divergence("kl", *CHECKING), divergence("kl", *CHECKING, design="joint")
    assert (free.se, free.bias, free.ci) == (joint.se, joint.bias, joint.ci)
    assert joint.design == "joint"


@pytest.mark.parametrize("kind", KINDS)
def test_swapping_the_samples(kind):
    swapped = {"kl": "reverse-kl", "reverse-kl": "kl", "pearson": "neyman", "neyman": "pearson"}.get(kind, kind)
    orders = (0.3, 0.7) if kind == "alpha" else (None, None)
    there = divergence(kind, *CHECKING, alpha=orders[0], smoothing=0.5)
    back = divergence(swapped, *CHECKING[::-1], alpha=orders[1], smoothing=0.5)
    for name in ("estimate", "se", "bias", "statistic", "ci"):
        assert getattr(there, name) == pytest.approx(getattr(back, name), rel=1e-12)


@pytest.mark.parametrize("generator", GENERATORS, ids=str)
def test_permuting_and_merging_bins(generator):
    rng = np.random.default_rng(8)
    for _ in range(20):
        x, y = rng.integers(0, 40, 6), rng.integers(0, 40, 6)
        x[0] = y[1] = 1
        order = rng.permutation(6)
        whole = divergence(generator.kind, x, y, alpha=generator.alpha)
        same = divergence(generator.kind, x[order], y[order], alpha=generator.alpha)
        assert whole.estimate == pytest.approx(same.estimate, rel=1e-12)
        assert whole.se == pytest.approx(same.se, rel=1e-12, nan_ok=True)
        merged = divergence(generator.kind, [x[0] + x[1], *x[2:]], [y[0] + y[1], *y[2:]], alpha=generator.alpha)
        assert merged.estimate <= whole.estimate * (1 + 1e-14)


def test_order_is_continuous_at_0_and_1():
    x, y = [300, 40, 1, 100], [20, 200, 90, 1]
    for kind, limit in (("kl", 1.0), ("reverse-kl", 0.0)):
        exact = divergence(kind, x, y)
        for step in (0.0, 1e-15, -1e-13, 1e-11, -1e-9):
            near = divergence("alpha", x, y, alpha=limit + step)
            for name in ("estimate", "se", "bias"):
                # the derivative in the order is below 10 times the value
                assert getattr(near, name) == pytest.approx(getattr(exact, name), rel=1e-13 + 10 * abs(step))


def test_named_orders():
    for kind, order, factor in (("hellinger", 0.5, 4), ("pearson", 2.0, 0.5), ("neyman", -1.0, 0.5)):
        named, general = divergence(kind, *CHECKING), divergence("alpha", *CHECKING, alpha=order)
        assert general.estimate == pytest.approx(factor * named.estimate, rel=1e-14)
        assert general.se == pytest.approx(factor * named.se, rel=1e-14)
        assert general.statistic == pytest.approx(named.statistic, rel=1e-14)


@pytest.mark.parametrize("generator", GENERATORS, ids=str)
def test_general_covariance_gives_the_closed_forms(generator):
    x, y, a = np.array(CHECKING[0], float), np.array(CHECKING[1], float), 0.5
    n, m = x.sum(), y.sum()
    shares = two_samples(x, y, a)
    p, q, _ = shares
    zero = np.zeros((4, 4))
    free = np.block([[(np.diag(p) - np.outer(p, p)) / n, zero], [zero, (np.diag(q) - np.outer(q, q)) / m]])
    found = covariance_fmoments(generator, shares, free, pseudo_count_shift(p, q, a / n, a / m))
    np.testing.assert_allclose(found, independent_fmoments(generator, shares, n, m, a), rtol=1e-12)
    table = TABLE.astype(float)
    shares = two_samples(table.sum(axis=1), table.sum(axis=0), a)
    size = table.sum()
    shift = pseudo_count_shift(shares.p, shares.q, a / size, a / size)
    found = covariance_fmoments(generator, shares, paired_covariance(table, a), shift)
    np.testing.assert_allclose(found, paired_fmoments(generator, table, a), rtol=1e-11)


def exact_fixed_bins(kind, sizes, rates, a):
    """Exact mean and variance over all outcomes of two bins."""
    laws = []
    for size, rate in zip(sizes, rates, strict=True):
        k = np.arange(size + 1)
        laws.append(np.exp([math.lgamma(size + 1) - math.lgamma(j + 1) - math.lgamma(size - j + 1) for j in k]))
        laws[-1] *= rate**k * (1 - rate) ** (size - k)
    weight = np.outer(*laws).ravel()
    y = np.array([*product(range(sizes[0] + 1), range(sizes[1] + 1))], float)
    value = generator_of(kind, None).terms(two_samples(np.array(sizes) - y, y, a)).sum(axis=-1)
    mean = weight @ value
    return mean, weight @ (value - mean) ** 2


@pytest.mark.parametrize("kind", ["jeffreys", "kl", "js"])
def test_fixed_bins_against_all_outcomes(kind):
    """The first-order bias and variance are left by terms of order N**-2: a fourth for twice the size."""
    left = []
    for scale in (40, 80):
        sizes, rates = (3 * scale, 2 * scale), (0.25, 0.6)
        y = np.array(sizes) * rates
        truth = divergence(
            kind, np.round(np.array(sizes) - y).astype(int), np.round(y).astype(int), design="fixed-bins"
        )
        mean, variance = exact_fixed_bins(kind, sizes, rates, 0.5)
        x = np.array(sizes) - y
        shares = two_samples(x, y, 0.0)
        # moments at the true shares, with the shift of the pseudo-count
        model = FixedBins(x, y)
        shift = model.shift(0.0) + pseudo_count_shift(shares.p, shares.q, 0.5 / x.sum(), 0.5 / y.sum())
        found = covariance_fmoments(generator_of(kind, None), shares, model.covariance(0.0), shift)
        assert truth.estimate == pytest.approx(found.divergence, rel=1e-13)
        assert truth.se**2 == pytest.approx(found.variance, rel=1e-12)
        left.append((mean - found.divergence - found.bias, variance - found.variance))
        assert found.bias == pytest.approx(mean - found.divergence, rel=0.15)
        assert found.variance == pytest.approx(variance, rel=0.12)
    assert left[1][0] == pytest.approx(left[0][0] / 4, rel=0.25)
    assert left[1][1] == pytest.approx(left[0][1] / 4, rel=0.25)


def test_fixed_bins_of_the_specification():
    # sum of N e (1 - e) D**2 with the gradient of the Jeffreys divergence
    x, y = np.array(CHECKING[0], float), np.array(CHECKING[1], float)
    n, m = x.sum(), y.sum()
    p, q = x / n, y / m
    slope_p, slope_q = np.log(p / q) + 1 - q / p, -np.log(p / q) + 1 - p / q
    moved = (slope_q - q @ slope_q) / m - (slope_p - p @ slope_p) / n
    variance = (x * y / (x + y) * moved**2).sum()
    result = divergence("jeffreys", x, y, design="fixed-bins")
    assert result.se**2 == pytest.approx(variance, rel=1e-13)
    assert result.se < divergence("jeffreys", x, y).se
    np.testing.assert_array_equal(result.null_weights, 1.0)


def test_null_covariance_of_fixed_bins_is_that_of_two_samples():
    sizes = np.array([400.0, 100.0, 250.0])
    x, y = sizes * 0.8, sizes * 0.2
    covariance = FixedBins(x, y).covariance(0.0)
    difference = covariance[:3, :3] + covariance[3:, 3:] - covariance[:3, 3:] - covariance[3:, :3]
    p, n_eff = sizes / 750, 600 * 150 / 750
    np.testing.assert_allclose(difference, (np.diag(p) - np.outer(p, p)) / n_eff, atol=1e-17)


@pytest.mark.parametrize(
    ("kind", "alpha", "empty_x", "empty_y"),
    [
        ("kl", None, 0.0, math.inf),
        ("reverse-kl", None, math.inf, 0.0),
        ("jeffreys", None, math.inf, math.inf),
        ("js", None, 0.0, 0.0),
        ("hellinger", None, 0.25, 0.25),
        ("pearson", None, 0.0, math.inf),
        ("neyman", None, math.inf, 0.0),
        ("alpha", 0.3, math.nan, 0.0),
        ("alpha", 0.5, 4.0, 4.0),
        ("alpha", 0.8, 0.0, math.nan),
    ],
)
def test_zero_cells(kind, alpha, empty_x, empty_y):
    """Limits of p u**2 over q and of q v**2 over p: inf for an infinite divergence, nan for an infinite variance."""
    x, y = np.array([20, 0, 30]), np.array([10, 5, 20])
    for counts, edge in (((x, y), empty_x), ((y, x), empty_y)):
        result = divergence(kind, *counts, alpha=alpha)
        assert (result.dof, result.bins) == (2, 3)
        assert 0 <= result.ci.low < result.ci.high < math.inf
        if math.isinf(edge):
            assert result.status is ScorecardStatus.ZERO_CELL
            assert result.estimate == math.inf
            assert math.isnan(result.se)
            assert result.statistic == pytest.approx(
                2 * result.n_eff / generator_of(kind, alpha).curvature * result.estimate_smoothed
            )
            continue
        assert result.status is ScorecardStatus.ZERO_CELL_FINITE
        assert "delta method does not hold" in result.notes[0]
        # a count of 1e-80 in place of 0: the term is left by its power 0.2 at the slowest
        with mp.workdps(120):
            tiny = mp.mpf(10) ** -80
            p, q = ([(s + tiny) / (sum(map(int, side)) + 3 * tiny) for s in map(int, side)] for side in counts)
            total = mp.fsum(t * f(result_generator(result), s / t) for s, t in zip(p, q, strict=True))
        assert relative_error(result.estimate, total) < 1e-11
        if math.isnan(edge):
            assert math.isnan(result.se)
            continue
        first, second = result.shares()
        where = int(np.flatnonzero((first == 0) | (second == 0))[0])
        cells = generator_of(kind, alpha).cells(two_samples(*(c.astype(float) for c in counts), 0.0))
        limit = cells.edge_p[where] / second[where] if first[where] == 0 else cells.edge_q[where] / first[where]
        assert limit == pytest.approx(edge)
        assert 0 < result.se < math.inf


def result_generator(result):
    return generator_of(result.kind, result.alpha)


def test_variance_is_the_limit_at_a_zero_cell():
    x, y = [20.0, 0.0, 30.0], [10.0, 5.0, 20.0]
    for kind in ("js", "hellinger", "kl", "pearson"):
        exact = divergence(kind, x, y).se ** 2
        near = independent_fmoments(
            generator_of(kind, None), two_samples(np.array([20.0, 1e-13, 30.0]), np.array(y), 0.0), 50.0, 35.0, 0.0
        )
        assert exact == pytest.approx(float(near.variance), rel=1e-5)


def test_null_law_and_equal_samples():
    result = divergence("js", [50, 60, 70], [100, 120, 140])
    assert (result.estimate, result.se, result.pvalue) == (0.0, 0.0, 1.0)
    assert result.ci.low == 0.0 < result.ci.high
    # bias (B - 1) f''(1) / (2 n_eff)
    assert result.bias == pytest.approx(2 * 0.25 / (2 * result.n_eff), rel=1e-13)


def test_every_kind_has_the_same_statistic_near_equality():
    x, y = [10010, 19990, 30000], [10000, 20000, 30000]
    pearson = divergence("pearson", x, y).statistic
    for generator in GENERATORS:
        found = divergence(generator.kind, x, y, alpha=generator.alpha)
        assert found.statistic == pytest.approx(pearson, rel=5e-3)
        assert found.confidence_interval(0.9, "snc").high * 2 / generator.curvature == pytest.approx(
            divergence("pearson", x, y).confidence_interval(0.9).high, rel=5e-3
        )


def test_degenerate_tables():
    one = divergence("kl", [5, 0], [7, 0])
    assert one.status is ScorecardStatus.ONE_BIN
    assert (one.estimate, one.dof, one.bins) == (0.0, 0, 1)
    assert math.isnan(one.pvalue)
    assert math.isnan(one.ci.low)
    assert math.isnan(one.confidence_interval(0.9, "delta").low)
    still = divergence("js", np.diag([50, 60]), design="paired")
    assert still.status is ScorecardStatus.NO_MOVES
    dropped = divergence("js", [5, 0, 7], [6, 0, 9])
    assert dropped.estimate == divergence("js", [5, 7], [6, 9]).estimate
    assert dropped.contributions[1] == 0.0
    assert "1 more empty" in dropped.summary()


def test_sparse_and_zero_cell_notes():
    result = divergence("hellinger", [30, 30, 0, 2], [1, 1, 1, 0])
    assert result.status is ScorecardStatus.ZERO_CELL_FINITE
    assert len(result.notes) == 2
    assert "note" in result.summary()
    assert math.isnan(result.bias)


def test_result_forms():
    for result in (
        divergence("alpha", *CHECKING, alpha=0.3),
        divergence("js", TABLE, design="paired"),
        divergence("kl", [5, 6, 9], [0.2, 0.3, 0.5], baseline="fixed"),
        divergence("hellinger", [5, 6, 0], [4, 5, 3]),
    ):
        back = Result.from_json(result.to_json())
        assert back == result
        assert back.confidence_interval() == result.ci
        assert len(result.to_frame()) == result.contributions.size
        assert result.kind in result.summary()
        with pytest.raises(ValueError, match="read-only"):
            result.contributions[0] = 1.0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: divergence("kullback", *CHECKING), ValueError, "kind is 'kullback'; expected one of 'kl'"),
        (lambda: divergence("alpha", *CHECKING), ValueError, "alpha is None; expected the order"),
        (lambda: divergence("kl", *CHECKING, alpha=1.0), ValueError, "alpha is 1.0; expected None for kind='kl'"),
        (lambda: divergence("alpha", *CHECKING, alpha=11), ValueError, "alpha is 11.0"),
        (lambda: divergence("alpha", *CHECKING, alpha=math.nan), ValueError, "alpha is nan"),
        (lambda: divergence("alpha", *CHECKING, alpha="1"), TypeError, "alpha is of type str"),
        (lambda: divergence("kl", *CHECKING, design="panel"), ValueError, "design is 'panel'"),
        (lambda: divergence("kl", *CHECKING, baseline="paired"), ValueError, "baseline is 'paired'"),
        (lambda: divergence("kl", [1, 2]), ValueError, "y is None; expected the counts"),
        (lambda: divergence("kl", [1, 2], baseline="fixed"), ValueError, "y is None; expected the shares"),
        (lambda: divergence("kl", [1, 2], [0.5, 0.6], baseline="fixed"), ValueError, "sum"),
        (lambda: divergence("kl", TABLE, TABLE, design="paired"), ValueError, "y is given"),
        (lambda: divergence("kl", TABLE[:2], design="paired"), ValueError, r"x has shape \(2, 3\)"),
        (lambda: divergence("kl", TABLE / 2, design="paired"), ValueError, "whole counts"),
        (
            lambda: divergence("kl", [1, 2], [0.5, 0.5], baseline="fixed", design="fixed-bins"),
            ValueError,
            "baseline is 'fixed'; expected 'random'",
        ),
        (lambda: divergence("kl", [1, 2], [1, 2, 3]), ValueError, "same bins"),
        (lambda: divergence("kl", [1, -2], [1, 2]), ValueError, "counts >= 0"),
        (lambda: divergence("kl", [1, 2.5], [1, 2]), ValueError, "whole counts"),
        (lambda: divergence("kl", *CHECKING, smoothing=-1), ValueError, "smoothing is -1"),
        (lambda: divergence("kl", *CHECKING).confidence_interval(1.0), ValueError, "level is 1.0"),
        (lambda: divergence("kl", *CHECKING).confidence_interval(0.9, "bootstrap"), ValueError, "method is"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_coverage():
    """A false alarm has probability below 1e-6; a coverage below 90 % is found."""
    p, q = np.array([0.3, 0.25, 0.2, 0.15, 0.1]), np.full(5, 0.2)
    rng = np.random.default_rng(4)
    for kind in ("js", "kl"):
        truth = float(generator_of(kind, None).terms(two_samples(p, q, 0.0)).sum())
        hits = 0
        for x, y in zip(rng.multinomial(900, p, 300), rng.multinomial(300, q, 300), strict=True):
            low, high = divergence(kind, x, y).ci
            hits += low <= truth <= high
        assert hits / 300 > 0.90


def test_survey_tables():
    """Plain rows give the result of their counts; weights and clusters that of information_value for "jeffreys"."""
    random = np.random.default_rng(5)
    codes, sample = random.integers(0, 4, 600), random.integers(0, 2, 600)
    plain = divergence("js", survey_table(codes, sample))
    counted = divergence("js", *(np.bincount(codes[sample == k], minlength=4) for k in (0, 1)))
    assert plain.survey is None
    assert plain == counted
    table = survey_table(codes, sample, weights=random.lognormal(0, 0.8, 600), clusters=np.arange(600) // 3)
    found, wanted = divergence("jeffreys", table), information_value(table)
    assert found.design == wanted.design == "survey"
    for name in ("estimate", "estimate_smoothed", "se", "bias", "statistic", "log_pvalue", "ci", "n_eff"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-11, err_msg=name)
    assert found.confidence_interval(0.9, "delta") == wanted.confidence_interval(0.9, "delta")
    again = type(found).from_json(found.to_json())
    assert again == found
    assert again.confidence_interval(0.9) == found.confidence_interval(0.9)
    with pytest.raises(ValueError, match="y is given beside a survey table"):
        divergence("kl", table, [1, 2, 3, 4])
    with pytest.raises(ValueError, match="baseline is 'fixed'; expected 'random' or 'quantile' for a survey table"):
        divergence("kl", table, baseline="fixed")
    with pytest.raises(ValueError, match="depends on one another as clusters"):
        divergence("kl", table, design="paired")
