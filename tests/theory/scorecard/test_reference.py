"""The reference against the published values, against other algorithms, and against its own mutants."""

import itertools
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error
from finite_sample import exact_smoothed_mean, exact_smoothed_variance, exact_woe_covariance, exact_woe_moments

from asymptopia.theory.scorecard import reference as r
from asymptopia.theory.scorecard import reference_exact as exact
from asymptopia.theory.scorecard import reference_laws as laws

GOOD, BAD = [139, 49, 164, 348], [135, 14, 105, 46]
LEVEL = mp.mpf(19) / 20


@pytest.fixture(autouse=True)
def _digits():
    with mp.workdps(50):
        yield


def same(actual, desired, digits=15):
    """Assert agreement to `digits` significant digits, which the typed value must have."""
    assert abs(mp.mpf(actual) - mp.mpf(desired)) <= abs(mp.mpf(desired)) * mp.mpf(10) ** -digits


def german():
    return r.shares(GOOD), r.shares(BAD)


def test_german_credit_moments():
    p, q = german()
    same(r.jeffreys(p, q), ".666011503351333513")
    same(mp.sqrt(r.delta_variance(p, q, 700, 300)), ".114461008811322029")
    V_P, V_Q = r.variance_components(p, q)
    same(V_P, "2.69586940375761635")
    same(V_Q, "2.77502415982125471")
    same(r.kl(p, q), ".356662027725859544")
    same(r.kl(q, p), ".309349475625473969")
    same(r.bias(p, q, 700, 300), ".0178990026602358011")
    T = 210 * r.jeffreys(p, q)
    same(T, "139.862415703780038")
    same(laws.chi2_sf(T, 3), "4.04692737124845037e-30")
    for value, desired in zip(
        r.cumulants(p, q, 700, 300),
        (".0178990026602358011", ".0133085416119677256", ".000542128591348435883"),
        strict=True,
    ):
        same(value, desired)


def test_german_credit_weight_of_evidence():
    desired = ["-.818098705694941305", ".405465108108164382", "-.401391782720528562", "1.17626322289817572"]
    for value, wanted in zip(r.woe(GOOD, BAD), desired, strict=True):
        same(value, wanted)
    C = r.woe_covariance(GOOD, BAD)
    desired = [".0991955001490450285", ".295084445425327001", ".104208760368380345", ".140892827678589272"]
    for k, wanted in enumerate(desired):
        same(mp.sqrt(C[k][k]), wanted)


def test_german_credit_intervals():
    parts = laws.snc(GOOD, BAD, LEVEL)
    desired = {
        "estimate": ".659055988014830161",
        "se": ".113848994010104507",
        "bias": ".0109112170047325661",
        "n_eff": "210",
        "rho": "1.03251266633375964",
        "nu": "2.21920335285568143",
        "x": "134.043641299385257",
        "low": ".44934019471703021",
        "high": ".894600462473773704",
    }
    assert parts.keys() == desired.keys()
    for name, wanted in desired.items():
        same(parts[name], wanted)
    good, bad = [221, 38, 61, 380], [89, 12, 31, 168]
    same(r.jeffreys(r.shares(good), r.shares(bad)), ".00883991919083821989")
    parts = laws.snc(good, bad, LEVEL)
    same(parts["estimate"], ".00836150691149879394")
    same(parts["rho"], "1.00246464404145544")
    same(parts["nu"], "2.95625596256619412")
    same(parts["x"], "1.7515993824338142")
    assert parts["low"] == 0
    same(parts["high"], ".0361596908961732033")


def test_psi_against_a_known_baseline():
    x = [48, 102, 203, 297, 205, 95, 50]
    p, q = r.shares(x), r.shares([1, 2, 4, 6, 4, 2, 1])
    same(r.jeffreys(p, q), ".000575995623564236145")
    same(mp.sqrt(r.delta_variance(p, q, 1000, 1, "fixed")), ".00151793622293984274")


def test_enumeration_of_a_small_sample():
    p, q = (list(map(mp.mpf, shares)) for shares in ((".5", ".3", ".2"), (".4", ".4", ".2")))
    half = mp.mpf(1) / 2
    mean, spread, beyond = exact.enumerate_smoothed(p, q, 6, 5, half, mp.mpf("5.991464547107979"))
    same(mean, ".541289454479258944")
    same(spread, ".529173473997990422")
    same(beyond, ".0157663936", 10)
    same(exact.exact_mean(p, q, 6, 5, half), mean, 45)


def test_exact_conditional_pvalue():
    assert exact.conditional_pvalue([8, 3, 1], [2, 4, 6]) == Fraction(5309, 193154)


def test_false_alarm_rates():
    same(laws.false_alarm(mp.mpf("0.1"), 500, 500, 10), ".00297118048591762181")
    same(laws.false_alarm(mp.mpf("0.25"), 100, 100, 10), ".186565974858451089")


def test_weighted_chi_squares():
    weights = [3, 2, 1, mp.mpf(1) / 2]
    same(laws.weighted_chi2_sf(weights, 10), ".19305524884965", 13)
    same(laws.ruben_sf(weights, 10), laws.weighted_chi2_sf(weights, 10), 35)


@pytest.mark.parametrize(
    ("bins", "eight_tenths", "nine_tenths"),
    [(2, 7.848861, 10.507419), (5, 11.935286, 15.405052), (10, 15.649798, 19.829118), (20, 20.555375, 25.651816)],
)
def test_required_noncentrality(bins, eight_tenths, nine_tenths):
    for wanted, desired in ((mp.mpf(8) / 10, eight_tenths), (mp.mpf(9) / 10, nine_tenths)):
        found = laws.required_noncentrality(bins, mp.mpf(1) / 20, wanted)
        assert abs(found - desired) < 1e-6
        same(laws.ncx2_sf(laws.chi2_isf(mp.mpf(1) / 20, bins - 1), bins - 1, found), wanted, 40)
    if bins == 10:
        same(laws.required_noncentrality(10, mp.mpf(1) / 20, mp.mpf(8) / 10), "15.6497978951882043")


def test_counts_of_a_trillion():
    x = [10**12, 10**12 + 10**6, 10**12 - 10**6]
    same(r.jeffreys(r.shares(x), r.shares([10**12] * 3)), "6.66666666666888889e-13")


def test_gradient_and_hessian_are_derivatives():
    p, q = german()

    def J(*cells):
        return mp.fsum((s - t) * mp.log(s / t) for s, t in zip(cells[:4], cells[4:], strict=True))

    point = tuple(p + q)
    slope, curvature = r.gradient(p, q), r.hessian(p, q)
    for j in range(8):
        same(slope[j], mp.diff(J, point, tuple(int(k == j) for k in range(8))), 20)
    for j, k in ((0, 0), (5, 5), (1, 5), (0, 1), (1, 4)):
        order = [0] * 8
        order[j] += 1
        order[k] += 1
        assert abs(curvature[j][k] - mp.diff(J, point, tuple(order))) < mp.mpf(10) ** -12


def test_formulas_in_circulation_are_refuted():
    p, q = german()
    truth = r.delta_variance(p, q, 700, 300)
    fixed_weights = mp.fsum((s - t) ** 2 * (1 / s / 700 + 1 / t / 300) for s, t in zip(p, q, strict=True))
    V_P, V_Q = r.variance_components(p, q)
    no_cross = truth - 2 * r.jeffreys(p, q) * (mp.mpf(1) / 700 + mp.mpf(1) / 300)
    assert fixed_weights < truth * 0.8
    assert no_cross < truth * 0.8
    same(V_P / 700 + V_Q / 300, truth, 40)
    C = r.woe_covariance(GOOD, BAD)
    for j, k in itertools.product(range(4), repeat=2):
        desired = -mp.mpf(1) / 700 - mp.mpf(1) / 300 + (mp.mpf(1) / GOOD[j] + mp.mpf(1) / BAD[j] if j == k else 0)
        same(C[j][k], desired, 40)


@pytest.mark.parametrize(("dof", "noncentrality", "x"), [(9, 20, 5), (mp.mpf(5) / 2, 3, 40), (1, 7, 8)])
def test_noncentral_chi_square_against_its_density(dof, noncentrality, x):
    def density(t):
        root = mp.sqrt(noncentrality * t)
        order = mp.mpf(dof) / 2 - 1
        return (
            mp.exp(-(t + noncentrality) / 2) * (t / mp.mpf(noncentrality)) ** (order / 2) * mp.besseli(order, root) / 2
        )

    with mp.workdps(25):
        below = mp.quad(density, [0, 0.01, 1, 3, x]) if dof != 1 else 1 - mp.quad(density, [x, 30, 60, 200])
        above = mp.quad(density, [x, x + 20, x + 60, x + 300])
    same(laws.ncx2_cdf(x, dof, noncentrality), below, 12)
    same(laws.ncx2_sf(x, dof, noncentrality), above, 12)
    same(laws.ncx2_cdf(x, dof, noncentrality) + laws.ncx2_sf(x, dof, noncentrality), 1, 45)


@pytest.mark.parametrize(("x", "dof", "noncentrality"), [(1, 9, 400), (700, 3, 4), (50, 19, 0), (2000, 9, 1000)])
def test_noncentral_tails_against_the_plain_mixture(x, dof, noncentrality):
    with mp.workdps(400):
        rate, y = mp.mpf(noncentrality) / 2, mp.mpf(x) / 2
        mixture = mp.mpf(0)
        weight = mp.exp(-rate)
        below = mp.gammainc(mp.mpf(dof) / 2, 0, y, regularized=True)
        step = y ** (mp.mpf(dof) / 2) * mp.exp(-y) / mp.gamma(mp.mpf(dof) / 2 + 1)
        for j in range(6000):
            mixture += weight * below
            weight *= rate / (j + 1)
            below -= step
            step *= y / (mp.mpf(dof) / 2 + j + 1)
        complement = 1 - mixture
    same(laws.ncx2_cdf(x, dof, noncentrality), mixture, 40)
    same(laws.ncx2_sf(x, dof, noncentrality), complement, 40)


def test_noncentrality_inverts_the_law():
    for x, dof, cdf in ((10, mp.mpf(9) / 4, "0.025"), (500, 9, "0.975"), (3, 3, "1e-9")):
        found = laws.ncx2_noncentrality(x, dof, mp.mpf(cdf))
        assert found > 0
        same(laws.ncx2_cdf(x, dof, found), cdf, 40)
    assert laws.ncx2_noncentrality(1, 9, mp.mpf("0.5")) == 0


def test_precision_of_the_argument_is_kept():
    for digits in (30, 50, 80):
        value = r.kl([mp.mpf(6) / 8, mp.mpf(2) / 8], [mp.mpf(1) / 2, mp.mpf(1) / 2], dps=digits)
        with mp.workdps(100):
            truth = mp.log(2) - (mp.mpf(3) / 4 * mp.log(mp.mpf(4) / 3) + mp.mpf(1) / 4 * mp.log(4))
            assert 0 < abs(value - truth) < mp.mpf(10) ** (1 - digits)


def test_pairs_drawn_independently_are_two_samples():
    p, q, N = [2, 3, 5], [5, 3, 2], 1000
    T = [[mp.mpf(s * t * N) / 100 for t in q] for s in p]
    p, q = r.shares(p), r.shares(q)
    same(r.paired_variance(T), r.delta_variance(p, q, N, N), 40)
    same(r.paired_bias(T), r.bias(p, q, N, N), 40)
    T = [[s * t * N for t in p] for s in p]
    eigenvalues = r.paired_null_eigenvalues(T)
    assert abs(eigenvalues[0]) < 1e-40
    for value in eigenvalues[1:]:
        same(value, mp.mpf(2) / N, 40)


def test_persistent_pairs_vary_less():
    T = [[80, 5, 1], [6, 70, 4], [2, 3, 90]]
    margins = [sum(row) for row in T], [sum(column) for column in zip(*T, strict=True)]
    p, q = map(r.shares, margins)
    N = sum(margins[0])
    assert r.paired_variance(T) < r.delta_variance(p, q, N, N) / 3
    assert max(r.paired_null_eigenvalues(T)) < mp.mpf(1) / N


def test_fixed_bin_sizes_vary_less():
    p, q = german()
    total = r.iv_variance_fixed_sizes(GOOD, BAD)
    assert total < r.delta_variance(p, q, 700, 300)
    assert r.woe_covariance_fixed_sizes(GOOD, BAD)[0][0] < r.woe_covariance(GOOD, BAD)[0][0]
    x, y = [mp.mpf(v) for v in GOOD], [mp.mpf(v) for v in BAD]

    def J(*bad):
        good = [N + M - b for N, M, b in zip(x, y, bad, strict=True)]
        digits = mp.mp.dps
        return r.jeffreys(r.shares(good, dps=digits), r.shares(bad, dps=digits), dps=digits)

    slope = [mp.diff(J, tuple(y), tuple(int(k == j) for k in range(4))) for j in range(4)]
    numeric = mp.fsum(d**2 * s * t / (s + t) for d, s, t in zip(slope, x, y, strict=True))
    same(total, numeric, 15)


P = np.array([0.4, 0.3, 0.2, 0.1])
Q = np.array([0.25, 0.25, 0.25, 0.25])


def test_finite_sample_sums_match_enumeration():
    p, q = [mp.mpf(1) / 2, mp.mpf(3) / 8, mp.mpf(1) / 8], [mp.mpf(1) / 4, mp.mpf(1) / 2, mp.mpf(1) / 4]
    mean, spread, _ = exact.enumerate_smoothed(p, q, 7, 5, mp.mpf(1) / 2)
    assert relative_error(exact_smoothed_mean([0.5, 0.375, 0.125], [0.25, 0.5, 0.25], 7, 5), mean) < 1e-13
    assert relative_error(exact_smoothed_variance([0.5, 0.375, 0.125], [0.25, 0.5, 0.25], 7, 5), spread**2) < 1e-12
    mean, spread, _ = exact.enumerate_smoothed(p[:1] * 2, [mp.mpf(1) / 4, mp.mpf(3) / 4], 9, 8, 1)
    assert relative_error(exact_smoothed_mean([0.5, 0.5], [0.25, 0.75], 9, 8, 1.0), mean) < 1e-13
    assert relative_error(exact_smoothed_variance([0.5, 0.5], [0.25, 0.75], 9, 8, 1.0), spread**2) < 1e-12


def test_finite_sample_mean_matches_the_reference():
    for n, m, a in ((120, 40, 0.5), (60, 60, 1.0)):
        desired = exact.exact_mean(list(P), list(Q), n, m, a)
        # the shares in float64 do not sum to exactly 1, which the reference does not need
        assert relative_error(exact_smoothed_mean(P, Q, n, m, a), desired) < 1e-13


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_bias_is_the_first_term_of_the_exact_mean(a):
    J = float(r.jeffreys(list(P), list(Q)))
    errors, mutant = [], []
    for n in (1000, 10000):
        expansion = float(r.bias(list(P), list(Q), n, n // 2, a))
        remainder = exact_smoothed_mean(P, Q, n, n // 2, a) - J
        errors.append(abs(remainder - expansion) * n)
        mutant.append(abs(remainder - float(r.bias(list(P), list(Q), n, n // 2, 1.5 - a))) * n)
    assert errors[1] < errors[0] / 8 < 0.05
    assert mutant[1] > mutant[0] / 2


def test_delta_variance_is_the_first_term_of_the_exact_variance():
    ratios = [
        exact_smoothed_variance(P, Q, n, n // 2) / float(r.delta_variance(list(P), list(Q), n, n // 2))
        for n in (500, 4000)
    ]
    assert abs(ratios[1] - 1) < abs(ratios[0] - 1) / 6
    assert abs(ratios[1] - 1) < 0.01


def test_exact_variance_where_nothing_shifted_is_that_of_the_chi_square():
    n, m = 3000, 1500
    effective = n * m / (n + m)
    assert abs(exact_smoothed_mean(Q, Q, n, m) * effective / 3 - 1) < 2e-3
    assert abs(exact_smoothed_variance(Q, Q, n, m) * effective**2 / 6 - 1) < 5e-3


def test_weight_of_evidence_covariance_is_the_first_term():
    # exact second moments, hence no tolerance for chance; the logit's variance must be refuted
    n, m = 40000, 20000
    for i, j in ((0, 0), (0, 1), (2, 3)):
        value = exact_woe_covariance(P, Q, n, m, i, j)
        C = r.woe_covariance([n * s for s in P], [m * t for t in Q])
        assert abs(value / float(C[i][j]) - 1) < 1e-3
        if i == j:
            logit = 1 / (n * P[i]) + 1 / (m * Q[i])
            assert abs(value / logit - 1) > 0.2
            mean, variance = exact_woe_moments(P[i], Q[i], n, m, bins=4)
            assert abs(variance / value - 1) < 1e-11
            assert abs(mean - np.log(P[i] / Q[i])) < 1e-4


def test_finite_sample_refuses_what_has_no_moment():
    with pytest.raises(ValueError, match="a is 0"):
        exact_smoothed_mean(P, Q, 10, 10, 0)
