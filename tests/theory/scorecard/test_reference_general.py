"""The references of general divergences, designs and binning against published values, other algorithms and mutants."""

from fractions import Fraction
from itertools import chain, product

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import binom

from asymptopia.theory.scorecard import reference as r
from asymptopia.theory.scorecard import reference_binning as binning
from asymptopia.theory.scorecard import reference_designs as designs
from asymptopia.theory.scorecard import reference_discrimination as rank
from asymptopia.theory.scorecard import reference_divergence as general

GOOD, BAD = [139, 49, 164, 348], [135, 14, 105, 46]


@pytest.fixture(autouse=True)
def _digits():
    with mp.workdps(50):
        yield


def same(actual, desired, digits=15):
    """Assert agreement to `digits` significant digits, which the typed value must have."""
    assert abs(mp.mpf(actual) - mp.mpf(desired)) <= abs(mp.mpf(desired)) * mp.mpf(10) ** -digits


def german():
    return r.shares(GOOD, dps=150), r.shares(BAD, dps=150)


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("kl", ".356662027725859544", ".0653106887934831503"),
        ("js", ".0797843928295340766", ".0130341798264548938"),
        ("hellinger", ".0814669451008031893", ".0136406704143977145"),
        ("pearson", ".961306052027436233", ".233106380072240152"),
        ("jeffreys", ".666011503351333513", ".114461008811322029"),
    ],
)
def test_german_credit_divergences(kind, value, error):
    found, variance, bias, _ = general.moments(*german(), 700, 300, kind)
    same(found, value)
    same(mp.sqrt(variance), error)
    if kind == "jeffreys":
        same(bias, ".0178990026602358011")
        same(bias, r.bias(*german(), 700, 300), 45)


def test_power_family_contains_the_others():
    p, q = german()
    for order, kind, factor in ((1, "kl", 1), (0, "reverse-kl", 1), (0.5, "hellinger", 4), (2, "pearson", 0.5)):
        one = general.moments(p, q, 700, 300, "alpha", order, 0.5)
        other = general.moments(p, q, 700, 300, kind, None, 0.5)
        same(one[0], factor * other[0], 45)
        same(one[1], factor**2 * other[1], 45)
        same(one[2], factor * other[2], 45)


def test_slopes_are_those_of_the_closed_forms():
    x = mp.mpf(7) / 3
    first, second = general.slopes(general.generator("jeffreys"), x)
    same(first, mp.log(x) + 1 - 1 / x, 45)
    same(second, 1 / x + 1 / x**2, 45)
    first, second = general.slopes(general.generator("hellinger"), x)
    same(first, (1 - 1 / mp.sqrt(x)) / 2, 45)
    same(second, x ** mp.mpf("-1.5") / 4, 45)


def test_finite_at_empty_cells():
    p, q = [mp.mpf(1) / 2, mp.mpf(1) / 2, mp.mpf(0)], [mp.mpf(1) / 2, mp.mpf(0), mp.mpf(1) / 2]
    same(general.divergence(p, q, "js"), mp.log(2) / 2, 45)
    same(general.divergence(p, q, "hellinger"), mp.mpf(1) / 2, 45)
    assert general.divergence(p, q, "kl") == mp.inf


def test_cumulants_from_the_generating_function():
    p, q = german()
    desired = (".0178990026602358011", ".0133085416119677256", ".000542128591348435883")
    for found, wanted, other in zip(
        general.second_order_cumulants(p, q, 700, 300), desired, r.cumulants(p, q, 700, 300), strict=True
    ):
        same(found, wanted)
        same(found, other, 40)


def test_posterior_mean():
    half = mp.mpf(1) / 2
    same(general.posterior_mean(GOOD, BAD, half), ".676801527257476089")
    # two bins by quadrature over both Beta posteriors, one integral at a time
    x, y, a = (5, 2), (1, 4), half

    def mean(function, first, second):
        return mp.quad(lambda s: function(s) * s ** (first - 1) * (1 - s) ** (second - 1), [0, 0.5, 1]) / mp.beta(
            first, second
        )

    with mp.workdps(25):
        total = mp.mpf(0)
        for k in (0, 1):
            al, be = (x[k] + a, x[1 - k] + a), (y[k] + a, y[1 - k] + a)
            total += mean(lambda s: s * mp.log(s), *al) + mean(lambda s: s * mp.log(s), *be)
            total -= al[0] / (7 + 2 * a) * mean(mp.log, *be) + be[0] / (5 + 2 * a) * mean(mp.log, *al)
    same(general.posterior_mean(x, y, a), total, 8)


def test_fixed_bins():
    value, variance, bias, trace = designs.fixed_bins_moments(GOOD, BAD, "jeffreys")
    same(value, ".666011503351333513")
    same(variance, r.iv_variance_fixed_sizes(GOOD, BAD), 45)
    assert variance < r.delta_variance(*german(), 700, 300)
    assert abs(bias / trace - 1) > 0.05


def _exact_fixed_bins(sizes, rates):
    """Return the mean and the variance of J of two bins by summation over both binomials."""
    grids = [np.arange(1, N) for N in sizes]
    weights = [binom.pmf(grid, N, e) for grid, N, e in zip(grids, sizes, rates, strict=True)]
    y1, y2 = np.meshgrid(*grids, indexing="ij")
    law = np.outer(*weights)
    x1, x2 = sizes[0] - y1, sizes[1] - y2
    p, q = x1 / (x1 + x2), y1 / (y1 + y2)
    J = (p - q) * (np.log(p / q) - np.log((1 - p) / (1 - q)))
    mean = (law * J).sum() / law.sum()
    return mean, (law * J**2).sum() / law.sum() - mean**2


def test_bias_of_fixed_bins_is_the_one_through_the_counts():
    # half the trace alone is refuted by the exact mean
    gaps, wrong = [], []
    for factor in (1, 4):
        sizes = [400 * factor, 600 * factor]
        rates = (0.25, 0.5)
        y = [sizes[0] // 4, sizes[1] // 2]
        x = [N - b for N, b in zip(sizes, y, strict=True)]
        value, variance, bias, trace = map(float, designs.fixed_bins_moments(x, y, "jeffreys"))
        mean, exact = _exact_fixed_bins(sizes, rates)
        gaps.append(abs((mean - value) / bias - 1))
        wrong.append(abs((mean - value) / trace - 1))
        assert abs(exact / variance - 1) < 0.05 / factor
    assert gaps[1] < gaps[0] / 3 < 0.02
    assert min(wrong) > 5 * max(gaps)


def test_null_weights():
    pooled = [mp.mpf(s + t) / 1000 for s, t in zip(GOOD, BAD, strict=True)]
    S = designs.fixed_bins_covariance([700 * s for s in pooled], [300 * s for s in pooled])
    for weight in designs.null_weights(pooled, pooled, S, 210):
        same(weight, 1, 40)
    T = [[80, 5, 1], [6, 70, 4], [2, 3, 90]]
    p, q, S = designs.paired_covariance(T)
    for j, k in product(range(3), repeat=2):
        S[j][k] += (p[j] - q[j]) * (p[k] - q[k]) / 261
    for weight, wanted in zip(designs.null_weights(p, q, S, 130.5), r.paired_null_eigenvalues(T)[:0:-1], strict=True):
        same(weight, wanted * mp.mpf(261) / 2, 40)
        assert weight < 0.5


def test_paired():
    T = [[80, 5, 1], [6, 70, 4], [2, 3, 90]]
    value, variance, bias = designs.paired_moments(T, "jeffreys")
    p, q, _ = designs.paired_covariance(T)
    same(value, r.jeffreys(p, q), 45)
    same(variance, r.paired_variance(T), 40)
    same(bias, r.paired_bias(T), 40)


def test_survey_variance_of_equal_weights_is_the_multinomial_one():
    codes = [0, 0, 1, 1, 1, 2, 2, 0, 1, 2]
    values = [mp.mpf(1), mp.mpf(4), mp.mpf(-2)]
    found = designs.survey_variance(codes, [mp.mpf(3)] * 10, range(10), values)
    p = [mp.mpf(3) / 10, mp.mpf(4) / 10, mp.mpf(3) / 10]
    same(found, r.quadratic(values, r.multinomial_covariance(p, 10)) * 10 / 9, 40)
    # all in clusters of two equal rows: half the sample
    twice = designs.survey_variance(
        [c for c in codes for _ in (0, 1)], [mp.mpf(1)] * 20, [k // 2 for k in range(20)], values
    )
    same(twice, found, 40)


def test_area_by_pairs_of_items():
    good, bad = [3, 2, 4, 1], [1, 2, 2, 5]
    goods = [k for k, count in enumerate(good) for _ in range(count)]
    bads = [k for k, count in enumerate(bad) for _ in range(count)]
    wins = [[Fraction(1) if b > g else Fraction(1, 2) if b == g else Fraction(0) for b in bads] for g in goods]
    area = Fraction(sum(map(sum, wins))) / 100
    assert rank.auc(good, bad) == area
    rows = [sum(row) / len(bads) for row in wins]
    columns = [sum(column) / len(goods) for column in zip(*wins, strict=True)]
    desired = sum(
        sum((value - area) ** 2 for value in values) / (len(values) - 1) / len(values) for values in (rows, columns)
    )
    assert rank.delong_variance(good, bad) == desired
    assert rank.plugin_variance(good, bad) == desired * Fraction(9, 10)
    good, bad = rank.in_order(GOOD, BAD)
    gini, distance = 2 * rank.auc(good, bad) - 1, rank.ks(good, bad)
    assert distance <= gini <= 2 * distance - distance**2
    K = rank.exact(distance)
    assert r.jeffreys(*german()) >= 2 * K * mp.log((1 + K) / (1 - K))


def test_conditional_information_value():
    good, bad = [[30, 20, 11], [15, 40, 9]], [[10, 25, 6], [12, 7, 21]]

    def J(first, second):
        return r.jeffreys(r.shares(first), r.shares(second))

    value, variance = rank.conditional_iv(good, bad)
    same(
        value,
        J([*chain.from_iterable(good)], [*chain.from_iterable(bad)]) - J([sum(v) for v in good], [sum(v) for v in bad]),
        40,
    )
    n, m = 125, 81
    slopes = []
    for sign, first, second, size in ((1, good, bad, n), (-1, bad, good, m)):
        other = n + m - size
        p, q = (
            [mp.mpf(v) / size for v in [*chain.from_iterable(first)]],
            [mp.mpf(v) / other for v in [*chain.from_iterable(second)]],
        )
        slopes += [mp.log(s / t) - t / s for s, t in zip(p, q, strict=True)]
        for j, k in product(range(2), range(3)):
            out, into = mp.mpf(sum(first[j])) / size, mp.mpf(sum(second[j])) / other
            slopes[(0 if sign > 0 else 6) + 3 * j + k] -= mp.log(out / into) - into / out
    p, q = r.shares([*chain.from_iterable(good)]), r.shares([*chain.from_iterable(bad)])
    same(variance, r.quadratic(slopes, r.independent_covariance(p, q, n, m)), 40)
    desired = []
    for one, other in zip(good, bad, strict=True):
        p, q = mp.mpf(sum(one)) / n, mp.mpf(sum(other)) / m
        desired += [(p + q) / 2 * (1 / (n * p) + 1 / (m * q))] * 2
    for found, wanted in zip(rank.conditional_null_weights(good, bad), sorted(desired, reverse=True), strict=True):
        same(found, wanted, 35)


PREBINS = [120, 90, 160, 110, 80, 140, 60, 100, 70, 70], [4, 6, 5, 9, 8, 12, 11, 14, 10, 21]


@pytest.mark.parametrize(
    ("most", "share", "value", "splits"),
    [
        (10, 0, ".41293405976932156", [1, 3, 4, 6, 9]),
        (4, 0, ".407987547679210447", [3, 6, 9]),
        (3, 0, ".366079486157421815", [3, 6]),
        (4, 0.15, ".379103283762882065", [3, 6, 8]),
    ],
)
def test_optimal_binning(most, share, value, splits):
    found, cuts, gap = binning.optimal_binning(*PREBINS, most, "ascending", "jeffreys", share)
    same(found, value)
    assert cuts == splits
    assert gap > 1e-6


def test_trends():
    rates = [Fraction(k) for k in (1, 2, 2, 3)]
    assert binning.follows(rates, "ascending")
    assert not binning.follows(rates, "descending")
    assert binning.follows(rates[::-1], "auto")
    assert binning.follows([*rates, Fraction(0)], "peak")
    assert not binning.follows([*rates, Fraction(0)], "valley")
    assert binning.follows([Fraction(3), Fraction(1), Fraction(2)], "valley")
    assert binning.follows(rates, None)
    assert len(list(binning.binnings(6, 6))) == 32
    assert binning.optimal_binning([5, 5], [0, 3], 2, None)[1] == []


def test_other_cuts_than_the_blocks_are_worse_for_every_divergence():
    cuts = [
        binning.optimal_binning(*PREBINS, 10, "ascending", kind)[1] for kind in ("jeffreys", "kl", "js", "hellinger")
    ]
    assert all(item == cuts[0] for item in cuts)
