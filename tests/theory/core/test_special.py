"""The stable special functions against 60 digits, and the textbook forms that lose them."""

import math

import mpmath as mp
import numpy as np
import pytest
import scipy.stats
from accuracy import relative_error

from asymptopia.theory._core.special import jeffreys_terms, kl, log1mexp, log_ratio, logsumexp_pieces, phi

EPS = 2.0**-52


def log_uniform(low, high, number, seed):
    return 10 ** np.random.default_rng(seed).uniform(low, high, number)


def phi_exact(d):
    with mp.workdps(400 if 0 < abs(d) < 1e-100 else 120):
        d = mp.mpf(float(d))
        return mp.mpf(1) if d == -1 else (1 + d) * mp.log(1 + d) - d


POINTS = np.concatenate(
    [
        log_uniform(-150, 300, 700, 1),
        -log_uniform(-150, 0, 500, 2),
        log_uniform(-3, 1, 700, 3),
        -log_uniform(-3, -1e-3, 500, 4),
        [1.0, -0.5, np.nextafter(1.0, 0), np.nextafter(-0.5, 0), -1 + 2**-53, 2.0**-500],
    ]
)


def test_phi_keeps_its_digits():
    errors = [relative_error(phi(d), phi_exact(d)) for d in POINTS]
    assert max(errors) < 4 * EPS, POINTS[int(np.argmax(errors))]


def test_phi_naive_forms_lose_them():
    def naive(d):
        return (1 + d) * math.log1p(d) - d

    points = log_uniform(-10, -8, 20, 12)
    assert max(relative_error(naive(d), phi_exact(d)) for d in points) > 1e-7
    assert max(relative_error(phi(d), phi_exact(d)) for d in points) < 2 * EPS
    # log1p and a subtraction are not enough at moderate d either
    assert max(relative_error(naive(d), phi_exact(d)) for d in log_uniform(-1.5, -1, 50, 13)) > 8 * EPS


def test_phi_at_the_edges():
    assert phi(0.0) == 0.0
    assert phi(-1.0) == 1.0
    assert phi(math.inf) == math.inf
    assert math.isnan(phi(-1.5))
    assert math.isnan(phi(math.nan))
    assert np.isscalar(phi(0.3))
    assert phi(np.zeros((2, 3))).shape == (2, 3)
    assert phi([]).shape == (0,)


def test_log_ratio_keeps_its_digits():
    q = log_uniform(-300, 300, 600, 5)
    p = q * (1 + np.where(np.arange(600) % 2, 1, -1) * log_uniform(-16, -0.4, 600, 6))
    far = log_uniform(-300, 300, 600, 7)
    with mp.workdps(60):
        for s, t in [*zip(p, q, strict=True), *zip(far, q, strict=True)]:
            exact = mp.log(mp.mpf(float(s)) / mp.mpf(float(t)))
            # far from 1 the two logarithms round by eps of their sizes
            scale = 1 if abs(s - t) < t / 2 else max(1, (abs(math.log(s)) + abs(math.log(t))) / abs(float(exact)))
            assert relative_error(log_ratio(s, t), exact) < 2 * EPS * scale


def test_log_ratio_uses_the_known_difference():
    assert relative_error(log_ratio(1.0, 1.0, 1e-30), "1e-30") < EPS
    assert log_ratio(1.0, 1.0) == 0.0
    assert relative_error(np.log(1 + 1e-12), "9.999999999995e-13") > 1e-5


def test_log_ratio_at_zero():
    assert log_ratio(0.0, 0.0) == 0.0
    assert log_ratio(1.0, 0.0) == math.inf
    assert log_ratio(0.0, 1.0) == -math.inf
    assert log_ratio([0.0, 0.5], 0.5).tolist() == [-math.inf, 0.0]
    assert np.isfinite(log_ratio(5e-324, 1e308))


def dyadic_pair(relative, seed, cells=10):
    """Return two vectors of multiples of 2**-60 that sum to exactly 1 and differ by about `relative`."""
    rng = np.random.default_rng(seed)
    whole = [int(v) for v in rng.multinomial(2**50, np.full(cells, 1 / cells))]
    moved = [int(v) for v in np.rint(np.array(whole) * relative * rng.uniform(-1, 1, cells) * 2**10)]
    moved[-1] = -sum(moved[:-1])
    q = [v * 2**10 for v in whole]
    p = [a + b for a, b in zip(q, moved, strict=True)]
    assert sum(p) == sum(q) == 2**60
    with mp.workdps(40):
        exact = [mp.mpf(v) / 2**60 for v in p], [mp.mpf(v) / 2**60 for v in q]
    d = np.array([v / 2**60 for v in moved])
    return np.array([v / 2**60 for v in p]), np.array([v / 2**60 for v in q]), d, exact


def kl_exact(p, q):
    with mp.workdps(80):
        return mp.fsum(s * mp.log(s / t) for s, t in zip(p, q, strict=True) if s)


@pytest.mark.parametrize("relative", [1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("seed", range(5))
def test_kl_keeps_its_digits(relative, seed):
    p, q, d, exact = dyadic_pair(relative, seed)
    wanted = kl_exact(*exact)
    assert wanted > 0
    assert relative_error(kl(p, q, d), wanted) < 1e-14
    assert kl(p, q) >= 0


def test_kl_by_scipy_loses_them_and_turns_negative():
    errors, negative = [], 0
    for seed in range(5):
        p, q, d, exact = dyadic_pair(1e-9, seed)
        wanted = kl_exact(*exact)
        value = scipy.stats.entropy(p, q)
        errors.append(relative_error(value, wanted))
        negative += value < 0
        assert relative_error(kl(p, q, d), wanted) < 1e-14
    assert max(errors) > 10
    assert negative >= 1


def test_kl_of_cells_that_one_side_lacks():
    assert kl([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == pytest.approx(math.log(2), rel=1e-15)
    assert kl([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl([1.0, 0.0], [1.0, 0.0]) == 0.0
    assert kl([[0.5, 0.5], [0.1, 0.9]], [0.5, 0.5]).shape == (2,)
    assert kl([[0.5], [0.5]], [[0.25], [0.75]], axis=0) == pytest.approx([0.5 * math.log(4 / 3)], rel=1e-14)


def test_jeffreys_terms_keep_their_digits():
    q = log_uniform(-300, 0, 400, 8)
    p = np.minimum(q * (1 + np.where(np.arange(400) % 2, 1, -1) * log_uniform(-15, -0.31, 400, 9)), 1.0)
    with mp.workdps(60):
        for s, t in zip(p, q, strict=True):
            a, b = mp.mpf(float(s)), mp.mpf(float(t))
            assert relative_error(jeffreys_terms(s, t), (a - b) * mp.log(a / b)) < 3 * EPS


def test_jeffreys_terms_naive_form_loses_them():
    a, b = 1e-200, 1e-200 * (1 + 1e-13)
    with mp.workdps(60):
        exact = (mp.mpf(a) - mp.mpf(b)) * mp.log(mp.mpf(a) / mp.mpf(b))
    assert relative_error((a - b) * (math.log(a) - math.log(b)), exact) > 1e-4
    assert relative_error(jeffreys_terms(a, b), exact) < 3 * EPS


def test_jeffreys_terms_at_zero():
    terms = jeffreys_terms([0.0, 0.5, 0.0, 0.3], [0.0, 0.0, 0.5, 0.3])
    assert terms.tolist() == [0.0, math.inf, math.inf, 0.0]
    assert jeffreys_terms(1.0, 1.0, 1e-30) == pytest.approx(1e-60, rel=1e-15)
    assert (jeffreys_terms(POINTS[:700], 1.0) >= 0).all()


def test_log1mexp_keeps_its_digits():
    for x in -log_uniform(-300, 2.8, 600, 10):
        with mp.workdps(400):
            exact = mp.log1p(-mp.exp(mp.mpf(float(x))))
        assert relative_error(log1mexp(x), exact) < 3 * EPS
    assert log1mexp(0.0) == -math.inf
    assert log1mexp(-math.inf) == 0.0
    assert log1mexp([-1.0, -2.0]).shape == (2,)
    for x, form in ((-1e-10, lambda x: math.log1p(-math.exp(x))), (-40.0, lambda x: math.log(-math.expm1(x)))):
        with mp.workdps(60):
            exact = mp.log1p(-mp.exp(mp.mpf(x)))
        # either branch alone loses the digits at the other end
        assert relative_error(form(x), exact) > 1e-9
        assert relative_error(log1mexp(x), exact) < 3 * EPS


def test_logsumexp_pieces_hold_both_parts():
    top, total = logsumexp_pieces([1000.0, 1000.0, 0.0])
    assert (top, total) == (1000.0, 2.0)
    top, total = logsumexp_pieces([0.0, -40.0])
    assert top == 0.0
    assert total == 1.0 + math.exp(-40.0)
    x = np.random.default_rng(11).normal(0, 300, (50, 7))
    tops, totals = logsumexp_pieces(x)
    assert ((totals >= 1) & (totals <= 7)).all()
    for row, top, total in zip(x, tops, totals, strict=True):
        with mp.workdps(60):
            exact = mp.log(mp.fsum(mp.exp(mp.mpf(float(v))) for v in row)) - mp.mpf(float(top))
            assert abs(mp.log(mp.mpf(float(total))) - exact) < 4 * EPS
    assert logsumexp_pieces(x, axis=0)[0].shape == (7,)


def test_logsumexp_pieces_at_infinity():
    assert logsumexp_pieces([-math.inf, -math.inf]) == (-math.inf, 0.0)
    top, total = logsumexp_pieces([math.inf, 0.0])
    assert top == math.inf
    assert top + math.log(total) == math.inf
    top, total = logsumexp_pieces([-math.inf, 3.0])
    assert (top, total) == (3.0, 1.0)
