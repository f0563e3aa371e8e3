"""The exact law of an estimated divergence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory._core.result import Result
from asymptopia.theory.scorecard import exact_mean
from asymptopia.theory.scorecard.enumeration import exact_law
from asymptopia.theory.scorecard.reference_exact import compositions

P, Q = [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]


def test_numbers_of_the_specification():
    law = exact_law(P, Q, 6, 5)
    assert law.mean == pytest.approx(0.541289454479258944, rel=2e-15)
    assert law.sd == pytest.approx(0.529173473997990422, rel=4e-15)
    assert law.sf(5.991464547107979 * 11 / 30) == pytest.approx(0.0157663936, abs=5e-15)
    assert law.probabilities.sum() == pytest.approx(1.0, rel=1e-14)
    assert (np.diff(law.values) > 0).all()


def textbook(kind, p, q):
    r = p / q
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = {
            "jeffreys": (p - q) * np.log(r),
            "pearson": (p - q) ** 2 / q,
            "hellinger": (np.sqrt(p) - np.sqrt(q)) ** 2 / 2,
        }[kind]
    return terms.sum()


@pytest.mark.parametrize("kind", ["jeffreys", "pearson", "hellinger"])
def test_law_by_brute_force(kind):
    n, m, a = 5, 4, 0.7
    values, weights = [], []
    for x in compositions(n, 3):
        for y in compositions(m, 3):
            p, q = (np.array(x) + a) / (n + 3 * a), (np.array(y) + a) / (m + 3 * a)
            values.append(textbook(kind, p, q))
            weights.append(stats.multinomial.pmf(x, n, P) * stats.multinomial.pmf(y, m, Q))
    values, weights = np.array(values), np.array(weights)
    law = exact_law(P, Q, n, m, kind=kind, smoothing=a)
    for t in np.quantile(values, [0.0, 0.1, 0.4, 0.77, 0.99]) * (1 + 1e-9):
        assert law.cdf(t) == pytest.approx(weights[values <= t].sum(), rel=1e-12)
        assert law.sf(t) == pytest.approx(weights[values > t].sum(), rel=1e-12)
    assert law.mean == pytest.approx(weights @ values, rel=1e-12)
    np.testing.assert_array_equal(law.cdf([[-1.0, 1e9]]), [[0.0, 1.0]])
    assert law.sf(-1.0) == 1.0
    assert law.sf(law.values[-1]) == 0.0


@pytest.mark.parametrize("a", [0.3, 0.5, 2.0])
def test_mean_by_one_dimensional_sums(a):
    assert exact_law(P, Q, 20, 12, smoothing=a).mean == pytest.approx(exact_mean(P, Q, 20, 12, a), rel=1e-12)
    known = exact_law(P, Q, 40, math.inf, smoothing=a)
    assert known.mean == pytest.approx(exact_mean(P, Q, 40, math.inf, a), rel=1e-12)
    assert known.m == math.inf


def test_two_bins_are_binomial():
    law = exact_law([0.3, 0.7], [0.5, 0.5], 30, math.inf, kind="pearson", smoothing=0)
    # sum (p - 1/2)**2 / (1/2) = 4 (k/30 - 1/2)**2
    k = np.arange(31)
    for t in (0.01, 0.2, 0.5):
        wanted = stats.binom.pmf(k, 30, 0.3)[4 * (k / 30 - 0.5) ** 2 > t].sum()
        assert law.sf(t) == pytest.approx(wanted, rel=1e-12)


def test_without_smoothing_the_mean_is_infinite():
    law = exact_law(P, Q, 4, 5, smoothing=0)
    assert (law.mean, law.values[-1]) == (math.inf, math.inf)
    assert math.isnan(law.sd)
    empty = [(1 - p) ** 4 for p in P]
    assert law.sf(1e300) > max(empty) / 2
    bounded = exact_law(P, Q, 4, 5, kind="js", smoothing=0)
    assert bounded.mean < math.log(2)
    assert bounded.values[-1] <= math.log(2) * (1 + 1e-15)


def test_equal_shares_are_symmetric():
    there, back = exact_law(P, Q, 6, 5, kind="kl"), exact_law(Q, P, 5, 6, kind="reverse-kl")
    np.testing.assert_allclose(there.values, back.values, rtol=1e-12)
    np.testing.assert_allclose(there.probabilities, back.probabilities, rtol=1e-11)
    alpha = exact_law(P, Q, 6, 5, kind="alpha", alpha=1.0)
    np.testing.assert_allclose(alpha.values, there.values, rtol=1e-13)


def test_result_forms():
    law = exact_law(P, Q, 3, 2)
    back = Result.from_json(law.to_json())
    assert back == law
    assert len(law.to_frame()) == law.values.size
    assert "standard deviation" in law.summary()
    assert "0.3" in exact_law(P, Q, 3, math.inf, kind="alpha", alpha=0.3).summary()
    with pytest.raises(ValueError, match="read-only"):
        law.values[0] = 0.0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: exact_law([0.5, 0.5, 0.0], P, 5, 5), ValueError, "p is .*; expected a vector of shares > 0"),
        (lambda: exact_law([P], [P], 5, 5), ValueError, "p is .*; expected a vector"),
        (lambda: exact_law(P, [0.5, 0.6, 0.2], 5, 5), ValueError, r"q.sum\(\) is 1.3"),
        (lambda: exact_law(P, [0.5, 0.5], 5, 5), ValueError, "same bins"),
        (lambda: exact_law(P, Q, 0, 5), ValueError, "n is 0"),
        (lambda: exact_law(P, Q, 5, 2.5), TypeError, "m is 2.5"),
        (lambda: exact_law(P, Q, 5, -math.inf), TypeError, "m is -inf"),
        (lambda: exact_law(P, Q, 5, 5, kind="l2"), ValueError, "kind is 'l2'"),
        (lambda: exact_law(P, Q, 5, 5, smoothing=-1), ValueError, "smoothing is -1"),
        (lambda: exact_law(P, Q, 300, 300), ValueError, "pairs of samples; expected at most 5000000"),
        (lambda: exact_law(P, Q, 3, 3).sf("1"), TypeError, "t has dtype"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
