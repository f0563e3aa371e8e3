"""Bayes error and divergence: the sharp curve, its inverse, attainment, thresholds, priors, bad input."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error

from asymptopia.theory.projection.bayes import (
    bayes_error_bounds,
    kl_threshold,
    max_tv_given_kl,
    min_kl_given_bayes_error,
    min_kl_given_tv,
)


def binary(p, q):
    """KL between two laws on two points, in multiple precision."""
    p, q = mp.mpf(p), mp.mpf(q)
    first = p * mp.log(p / q) if p else mp.mpf(0)
    return first + ((1 - p) * mp.log((1 - p) / (1 - q)) if p < 1 else 0)


def on_curve(t):
    t = mp.mpf(t)
    v = t / 2 * (1 - (mp.coth(t) - 1 / t) ** 2)
    return v, mp.log(t / mp.sinh(t)) + t * mp.coth(t) - t**2 / mp.sinh(t) ** 2


def test_numbers_of_the_specification():
    assert relative_error(min_kl_given_tv(0.1), "0.020044683157952950097") < 1e-14
    assert relative_error(min_kl_given_tv(0.5), "0.53229790889199995063") < 1e-15
    assert relative_error(bayes_error_bounds(0.02).low, "0.45005563605092000969") < 1e-15
    assert relative_error(bayes_error_bounds(1.0).low, "0.16777774245480857125") < 1e-15
    assert relative_error(min_kl_given_bayes_error(0.2, 0.3), "0.66094637881770855494") < 1e-14
    assert relative_error(min_kl_given_bayes_error(0.2, 0.7), "0.389514363516719") < 2e-15
    assert relative_error(kl_threshold(0.05), "0.0200446831579529501") < 1e-14
    assert relative_error(kl_threshold(0.25), "0.5322979088919999506") < 1e-15


def test_curve_over_the_whole_range():
    t = np.concatenate([10.0 ** np.linspace(-12, 6, 91), np.linspace(0.05, 20, 41)])
    with mp.workdps(80):
        for value in t:
            v, least = on_curve(value)
            # the divergence at the rounded argument: the slope is 2t, the curvature without weight
            d = float(least)
            moved = v + (mp.mpf(d) - least) / (2 * mp.mpf(value))
            assert relative_error(max_tv_given_kl(d), moved) < 1e-14, value
            assert relative_error(max_tv_given_kl(d, complement=True), 1 - moved) < 1e-14, value
            if v < 0.6:
                x = float(v)
                assert relative_error(min_kl_given_tv(x), least + 2 * mp.mpf(value) * (mp.mpf(x) - v)) < 1e-14, value
            else:
                x = float(1 - v)
                wanted = least - 2 * mp.mpf(value) * (mp.mpf(x) - (1 - v))
                assert relative_error(min_kl_given_tv(complement=x), wanted) < 1e-14, value


@pytest.mark.parametrize("v", [1e-4, 0.03, 0.3, 0.7, 0.95])
def test_curve_is_the_minimum_over_two_points(v):
    # stationarity of d(b + v || b), by bisection
    with mp.workdps(40):
        v_ = mp.mpf(v)

        def slope(b):
            return mp.log((b + v_) * (1 - b) / (b * (1 - b - v_))) - v_ / (b * (1 - b))

        b = mp.findroot(
            slope, ((1 - v_) * mp.mpf("1e-3"), (1 - v_) * (1 - mp.mpf("1e-20"))), solver="bisect", tol=1e-25
        )
        assert relative_error(min_kl_given_tv(v), binary(b + v_, b)) < 1e-14


def test_series_near_zero():
    with mp.workdps(40):
        for v in (1e-8, 1e-6, 9.9e-7, 1.1e-6, 1e-3):
            x = mp.mpf(v)
            series = 2 * x**2 + 4 * x**4 / 9 + 32 * x**6 / 135 + 7072 * x**8 / 42525
            assert relative_error(min_kl_given_tv(v), series) < 1e-14


def test_tiny_and_huge():
    assert min_kl_given_tv(0.0) == 0.0
    assert max_tv_given_kl(0.0) == 0.0
    assert max_tv_given_kl(1e-300) == pytest.approx(math.sqrt(5e-301), rel=1e-15)
    assert min_kl_given_tv(1e-150) == pytest.approx(2e-300, rel=1e-15)
    assert min_kl_given_tv(complement=1e-300) == pytest.approx(300 * math.log(10), rel=1e-15)
    assert min_kl_given_tv(complement=1.0) == 0.0
    assert max_tv_given_kl(700.0, complement=True) == pytest.approx(math.exp(-700.0), rel=1e-15)
    assert max_tv_given_kl(math.inf) == 1.0
    assert max_tv_given_kl(math.inf, complement=True) == 0.0
    assert bayes_error_bounds(math.inf) == (0.0, 0.5)
    assert bayes_error_bounds(math.inf, 0.2).low == 0.0
    assert bayes_error_bounds(0.0, 0.2) == (0.2, 0.2)


def test_inverse_pairs_and_order():
    v = np.linspace(0.0, 0.9999, 400)
    d = min_kl_given_tv(v)
    np.testing.assert_allclose(max_tv_given_kl(d), v, rtol=1e-13)
    assert (np.diff(d) > 0).all()
    # sharper than both classical bounds
    assert (d[1:] > 2 * v[1:] ** 2).all()
    assert (d[1:] > -np.log1p(-(v[1:] ** 2))).all()
    for method in ("pinsker", "bh"):
        assert (bayes_error_bounds(d, method=method).low <= bayes_error_bounds(d).low + 1e-15).all()


def test_no_law_on_two_or_three_points_is_below_and_one_attains():
    rng = np.random.default_rng(4)
    for size in (2, 3):
        p, q = rng.dirichlet(np.full(size, 0.5), 40000), rng.dirichlet(np.full(size, 0.5), 40000)
        with np.errstate(divide="ignore", invalid="ignore"):
            divergence = np.where(p > 0, p * np.log(p / q), 0.0).sum(axis=1)
        tv = 0.5 * np.abs(p - q).sum(axis=1)
        kept = np.isfinite(divergence) & (tv < 1)
        ratio = divergence[kept] / min_kl_given_tv(tv[kept])
        assert (ratio > 1 - 1e-12).all()
        assert ratio.min() < 1.001
        for prior in (0.2, 0.7):
            error = np.minimum(prior * p, (1 - prior) * q).sum(axis=1)
            inside = kept & (error > 1e-12) & (error < 0.999 * min(prior, 1 - prior))
            ratio = divergence[inside] / min_kl_given_bayes_error(error[inside], prior)
            assert (ratio > 1 - 1e-12).all()
            assert ratio.min() < 1.01


@pytest.mark.parametrize("prior", [1e-6, 0.1, 0.3, 0.4999, 0.6, 0.9, 1 - 1e-6])
@pytest.mark.parametrize("share", [1e-8, 0.01, 0.3, 0.9, 0.999999])
def test_unequal_priors_by_direct_minimisation(prior, share):
    with mp.workdps(150):
        w = mp.mpf(prior)
        top = min(prior, 1.0 - prior)
        e = share * top
        lost = min(w, 1 - w) - mp.mpf(e)

        # q = e/(1 - w) s, 1 - p = e/w (1 - s); convex in s: bisect the derivative in logit(s)
        def points(x):
            s = 1 / (1 + mp.exp(-x))
            return 1 - mp.mpf(e) / w * (1 - s), mp.mpf(e) / (1 - w) * s

        def slope(x):
            p, q = points(x)
            return (1 - w) / w * mp.log(p * (1 - q) / ((1 - p) * q)) - (p - q) / (q * (1 - q))

        low, high = mp.mpf(-200), mp.mpf(200)
        if slope(high) <= 0:
            low = high
        for _ in range(120):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) < 0 else (low, middle)
        assert lost > 0
        wanted = binary(*points(low))
        # e of rounding: the divergence is steep where hardly any error is lost
        assert relative_error(min_kl_given_bayes_error(e, prior), wanted) < 1e-14 / (1 - share) ** 0.5
        back = bayes_error_bounds(float(wanted), prior).low
        assert back == pytest.approx(e, rel=1e-12)


def test_priors_meet_at_one_half():
    for e in (0.01, 0.2, 0.45):
        middle = min_kl_given_bayes_error(e)
        assert min_kl_given_bayes_error(e, 0.5 + 1e-9) == pytest.approx(middle, rel=1e-7)
        assert min_kl_given_bayes_error(e, 0.5 - 1e-9) == pytest.approx(middle, rel=1e-7)
    assert min_kl_given_bayes_error(0.5) == 0.0
    assert min_kl_given_bayes_error(0.25, 0.25) == 0.0


def test_upper_end_is_approached_by_infinite_divergence():
    # tiny mass where q is tinier: the divergence is large, the error rate stays at 1/2
    p, q = np.array([1e-3, 1 - 1e-3]), np.array([1e-300, 1.0])
    divergence = float((p * np.log(p / q)).sum())
    error = 0.5 * np.minimum(p, q).sum()
    assert divergence > 0.68
    assert error > 0.499
    assert bayes_error_bounds(divergence).high == 0.5


def test_thresholds():
    a = np.array([0.01, 0.05, 0.2])
    np.testing.assert_allclose(kl_threshold(a, "pinsker"), 8 * a**2, rtol=1e-15)
    np.testing.assert_allclose(kl_threshold(a, "local"), 4 * math.pi * a**2, rtol=1e-15)
    np.testing.assert_allclose(kl_threshold(a, "bh"), -np.log(1 - 4 * a**2), rtol=1e-12)
    np.testing.assert_allclose(kl_threshold(a), min_kl_given_tv(2 * a), rtol=1e-15)
    for bound in ("sharp", "pinsker", "local", "bh"):
        for prior in (0.5, 0.3, 0.8):
            top = min(prior, 1 - prior)
            at = kl_threshold(a[:2], bound, prior)
            np.testing.assert_allclose(bayes_error_bounds(at, prior, method=bound).low, top - a[:2], rtol=1e-13)
    assert kl_threshold(1e-100) == pytest.approx(8e-200, rel=1e-14)


def test_local_threshold_of_nearby_normal_laws():
    # V of two normal laws at distance s is 2 Phi(s/2) - 1 and D = s^2/2
    s = 1e-4
    v = math.erf(s / 2 / math.sqrt(2))
    assert kl_threshold(v / 2, "local") == pytest.approx(s**2 / 2, rel=1e-8)


def test_shapes_and_scalars():
    assert isinstance(min_kl_given_tv(0.3), float)
    assert isinstance(max_tv_given_kl(0.3), float)
    assert isinstance(kl_threshold(0.1), float)
    low, high = bayes_error_bounds([[0.1], [0.2]], [0.5, 0.3, 0.6])
    assert low.shape == high.shape == (2, 3)
    assert min_kl_given_bayes_error([0.1, 0.2], [[0.5], [0.4]]).shape == (2, 2)
    assert min_kl_given_tv(np.zeros((0,))).shape == (0,)
    # means of divergences: the bound is convex, so that Jensen's inequality applies
    d = np.linspace(0.001, 3, 60)
    for prior in (0.5, 0.2, 0.7):
        assert (np.diff(bayes_error_bounds(d, prior).low, 2) > -1e-12).all()


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: min_kl_given_tv(1.0), ValueError, r"v is 1.0; expected total variations in \[0, 1\)"),
        (lambda: min_kl_given_tv(-0.1), ValueError, "v is -0.1"),
        (lambda: min_kl_given_tv(math.nan), ValueError, "v is nan; expected finite"),
        (min_kl_given_tv, TypeError, "both given or both missing"),
        (lambda: min_kl_given_tv(0.1, complement=0.9), TypeError, "both given or both missing"),
        (lambda: min_kl_given_tv(complement=0.0), ValueError, "complement is 0.0"),
        (lambda: min_kl_given_tv("0.1"), TypeError, "v has dtype"),
        (lambda: max_tv_given_kl(-1e-9), ValueError, "d is -1e-09; expected divergences >= 0"),
        (lambda: max_tv_given_kl(math.nan), ValueError, "d is nan"),
        (lambda: max_tv_given_kl(-math.inf), ValueError, "d is -inf"),
        (lambda: bayes_error_bounds(-1.0), ValueError, "kl is -1.0"),
        (lambda: bayes_error_bounds(0.1, 1.0), ValueError, "prior is 1.0"),
        (lambda: bayes_error_bounds(0.1, 0.0), ValueError, "prior is 0.0"),
        (lambda: bayes_error_bounds(0.1, method="chernoff"), ValueError, "method is 'chernoff'; expected one of"),
        (lambda: min_kl_given_bayes_error(0.0), ValueError, "e is 0.0"),
        (lambda: min_kl_given_bayes_error(0.31, 0.3), ValueError, r"e is 0.31; expected error rates in \(0, 0.3\]"),
        (lambda: kl_threshold(0.5), ValueError, r"alpha is 0.5; expected numbers in \(0, 0.5\)"),
        (lambda: kl_threshold(0.0), ValueError, "alpha is 0.0"),
        (lambda: kl_threshold(0.3, prior=0.2), ValueError, "alpha is 0.3"),
        (lambda: kl_threshold(0.1, "tv"), ValueError, "bound is 'tv'"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
