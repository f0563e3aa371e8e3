"""Contractions of cumulants: brute force, invariances, unbiasedness by enumeration, both routes, bad input."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest

from asymptopia.theory.projection import row_sums
from asymptopia.theory.projection.contractions import (
    Contractions,
    Rows,
    fourth_from_samples,
    from_cumulants,
    from_samples,
    from_support,
)
from asymptopia.theory.projection.errors import NotMinimalError
from asymptopia.theory.projection.row_contractions import other_rows, unbiased_fourth
from asymptopia.theory.projection.row_sums import row_scalars, third_sums


def symmetric(rng, p, order):
    raw = rng.standard_normal((p,) * order)
    perms = list(itertools.permutations(range(order)))
    return sum(np.transpose(raw, perm) for perm in perms) / len(perms)


def brute(g, t, q, sigma, kappa):
    """The definitions, index by index, with the tensor of fourth order."""
    h = np.linalg.inv(g)
    w = h @ sigma @ h
    v, b = np.einsum("iku,ik->u", t, w), np.einsum("iku,ik->u", t, h)
    return Contractions(
        t0=np.trace(h @ sigma),
        t1=np.einsum("jls,ikm,ij,kl,ms->", t, kappa, h, h, h),
        t21=v @ h @ v,
        t22=np.einsum("iku,mov,im,ko,uv->", t, t, w, w, h),
        t31=np.einsum("ikmo,ik,mo->", q, w, w),
        F=np.einsum("jls,ikm,ij,kl,ms->", t, t, h, h, h),
        B=b @ h @ b,
        K=np.einsum("ikmo,ik,mo->", q, h, h),
    )


def cumulants(rows, weights):
    """Mean-free second to fourth cumulants of a law on rows, from raw sums."""
    x = rows - weights @ rows
    g = np.einsum("a,ai,aj->ij", weights, x, x)
    t = np.einsum("a,ai,aj,ak->ijk", weights, x, x, x)
    m = np.einsum("a,ai,aj,ak,al->ijkl", weights, x, x, x, x)
    pairs = np.einsum("ij,kl->ijkl", g, g)
    return g, t, m - pairs - np.transpose(pairs, (0, 2, 1, 3)) - np.transpose(pairs, (0, 3, 2, 1))


def contracted(q):
    return lambda w: np.einsum("ikmo,ik->mo", q, w)


def law(seed, states, p):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((states, p)) ** 2, rng.dirichlet(np.ones(states))


def truth_of(rows, weights):
    x = rows - weights @ rows
    return (x * weights[:, None]).T @ x, np.einsum("a,ai,aj,ak->ijk", weights, x, x, x)


@pytest.mark.parametrize("p", [1, 2, 4])
def test_from_cumulants_against_the_definitions(p):
    rng = np.random.default_rng(p)
    g, sigma = (a @ a.T + np.eye(p) for a in rng.standard_normal((2, p, p)))
    t, kappa, q = symmetric(rng, p, 3), symmetric(rng, p, 3), symmetric(rng, p, 4)
    found = from_cumulants(g, t, contracted(q), truth_cov=sigma, truth_third=kappa)
    assert found == pytest.approx(brute(g, t, q, sigma, kappa), rel=1e-12)
    assert from_cumulants(g, t, contracted(q)) == pytest.approx(brute(g, t, q, g, t), rel=1e-12)


def test_normal_and_rows():
    # statistic (x, x^2) at mean 0, variance 1
    g, t, q = np.diag([1.0, 2.0]), np.zeros((2, 2, 2)), np.zeros((2,) * 4)
    for index in itertools.product(range(2), repeat=3):
        t[index] = {1: 2.0, 3: 8.0}.get(sum(index), 0.0)
    for index in itertools.product(range(2), repeat=4):
        q[index] = {2: 8.0, 4: 48.0}.get(sum(index), 0.0)
    found = from_cumulants(g, t, contracted(q))
    assert found == pytest.approx((2, 14, 18, 14, 20, 14, 18, 20), rel=1e-14)
    # the three-point truth -1, 0, 2 of the specification
    x, w = np.array([-1.0, 0.0, 2.0]), np.array([0.3, 0.45, 0.25])
    x = (x - w @ x) / math.sqrt(w @ x**2 - (w @ x) ** 2)
    rows = np.column_stack([x, x * x])
    rows -= w @ rows
    cov, third = truth_of(rows, w)
    expected = (1.52267573696145, 3.69855667134579, 10.1187879535790, 8.90401633064412, 10.9634103074336)
    for kappa in (third, Rows(rows, w), Rows(np.repeat(rows, [6, 9, 5], axis=0))):
        found = from_cumulants(g, t, contracted(q), truth_cov=cov, truth_third=kappa)
        assert found[:5] == pytest.approx(expected, rel=1e-13)
    assert [found.t0, -found.t1, found.t21 + 2 * found.t22 - found.t31] == pytest.approx([found.A2, found.A3, found.A4])


@pytest.mark.parametrize("route", ["auto", "tensor", "gram"])
def test_support_against_the_specification(route):
    x = np.arange(4.0)
    statistic, truth = np.column_stack([x, x * x]), np.array([0.2, 0.35, 0.15, 0.3])
    weights = np.exp(statistic @ [0.042447469837228505866, -0.00080121839278903282533])
    weights /= weights.sum()
    cov, third = truth_of(statistic, truth)
    expected = (1.9865184044058488829, 1.8759288643649817, 0.64627369294384795, 1.8619487319661729, -3.4080523047171568)
    for kappa in (third, Rows(statistic - truth @ statistic, truth)):
        found = from_support(statistic, weights, truth_cov=cov, truth_third=kappa, route=route)
        assert found[:5] == pytest.approx(expected, rel=2e-14)


@pytest.mark.parametrize("route", ["tensor", "gram"])
@pytest.mark.parametrize("slices", [1, 40, 2**22])
def test_support_against_cumulants(route, slices, monkeypatch):
    monkeypatch.setattr(row_sums, "_SLICES", slices)
    monkeypatch.setattr(row_sums, "_TILE", 7)
    monkeypatch.setattr(row_sums, "_BLOCK", 5)
    rows, weights = law(3, 23, 4)
    other = law(4, 23, 4)
    cov, third = truth_of(*other)
    g, t, q = cumulants(rows, weights)
    expected = brute(g, t, q, cov, third)
    for kappa in (third, Rows(other[0] - other[1] @ other[0], other[1])):
        found = from_support(rows, weights, truth_cov=cov, truth_third=kappa, route=route)
        assert found == pytest.approx(expected, rel=1e-11)
    found = from_support(rows, weights, route=route)
    assert found == pytest.approx(brute(g, t, q, g, t), rel=1e-11)


def test_affine_change_of_the_statistic():
    rows, weights = law(5, 30, 3)
    cov, third = truth_of(*law(6, 30, 3))
    a = np.array([[1e3, 2.0, 0.0], [0.0, 1e-3, 1e-3], [5.0, 0.0, 1.0]])
    moved = np.einsum("ia,jb,kc,abc->ijk", a, a, a, third)
    first = from_support(rows, weights, truth_cov=cov, truth_third=third)
    second = from_support(rows @ a.T + 7.0, weights, truth_cov=a @ cov @ a.T, truth_third=moved)
    assert second == pytest.approx(first, rel=1e-8)


def test_independent_blocks_add():
    one, two = law(7, 6, 2), law(8, 5, 1)
    both = np.array([[*a, *b] for a in one[0] for b in two[0]])
    weights = np.outer(one[1], two[1]).ravel()
    parts = [from_support(*one), from_support(*two)]
    # |v|^2 and the rest add, for a tensor of independent blocks has no mixed entries
    assert from_support(both, weights) == pytest.approx([sum(pair) for pair in zip(*parts, strict=True)], rel=1e-11)


def test_independent_binary_variables_whatever_their_dependence():
    rng = np.random.default_rng(9)
    states = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    joint = rng.dirichlet(np.full(16, 0.5))
    p = joint @ states
    product = np.prod(np.where(states == 1.0, p, 1.0 - p), axis=1)
    cov, third = truth_of(states, joint)
    found = from_support(states, product, truth_cov=cov, truth_third=third)
    c2 = (-8 * found.t1 + 9 * (found.t21 + 2 * found.t22) - 9 * found.t31) / 24
    assert found.t0 == pytest.approx(4.0, rel=1e-13)
    assert c2 == pytest.approx(sum(5 / (12 * x * (1 - x)) - 11 / 12 for x in p), rel=1e-12)


def test_singular_statistics_are_named():
    with pytest.raises(NotMinimalError, match=r"1\*statistic\[0\] \+ 1\*statistic\[1\] \+ 1\*statistic\[2\]") as caught:
        from_support(np.eye(3), [0.2, 0.3, 0.5])
    assert caught.value.directions == pytest.approx(np.ones((1, 3)), rel=1e-9)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((50, 2))
    with pytest.raises(NotMinimalError) as caught:
        from_samples(np.column_stack([x, 1e6 * x[:, 0] - 3.0, x[:, 1] + 2.0 * x[:, 0]]))
    assert caught.value.directions.shape == (2, 4)
    assert np.ptp(np.column_stack([x, 1e6 * x[:, 0], x[:, 1] + 2 * x[:, 0]]) @ caught.value.directions.T) < 1.0
    assert np.diag(caught.value.directions[:, [3, 2]]) == pytest.approx([1.0, 1.0])
    with pytest.raises(NotMinimalError, match=r"1\*statistic\[1\] does not vary"):
        from_samples(np.column_stack([x, np.ones(50)])[:, [0, 2, 1]])
    with pytest.raises(NotMinimalError):
        from_cumulants(np.ones((2, 2)), np.zeros((2, 2, 2)), lambda w: w)


def enumerate_samples(weights, size):
    """Every sample of distinct counts with its probability."""
    states = len(weights)
    for bars in itertools.combinations(range(size + states - 1), states - 1):
        edges = (-1, *bars, size + states - 1)
        counts = [b - a - 1 for a, b in itertools.pairwise(edges)]
        chance = math.factorial(size)
        for count, weight in zip(counts, weights, strict=True):
            chance = chance / math.factorial(count) * weight**count
        yield np.repeat(np.arange(states), counts), chance


POINTS = np.array([[-1.0, 0.3], [0.2, 1.4], [1.5, -0.7], [0.4, 2.0]])
WEIGHTS = np.array([0.3, 0.35, 0.2, 0.15])
SPREAD = np.array([0.6, 1.7])


def whitened_law():
    x = POINTS - WEIGHTS @ POINTS
    factor = np.linalg.cholesky((x * WEIGHTS[:, None]).T @ x)
    return np.linalg.solve(factor, x.T).T


@pytest.mark.parametrize("n", [4, 5])
def test_fourth_cumulants_are_unbiased(n):
    y = whitened_law()
    _, _, q = cumulants(y, WEIGHTS)
    s = np.diag(SPREAD)
    total = 0.0
    for rows, chance in enumerate_samples(WEIGHTS, n):
        sample = y[rows] - y[rows].mean(axis=0)
        moment = sample.T @ sample / n
        trace2 = np.trace(s @ moment @ s @ moment)
        total += chance * unbiased_fourth(n, row_scalars(sample, None, SPREAD), trace2)
    assert total == pytest.approx(np.einsum("ikmo,ik,mo->", q, s, s), rel=1e-12)


@pytest.mark.parametrize("route", ["tensor", "gram"])
@pytest.mark.parametrize("n", [3, 4])
def test_third_cumulants_are_unbiased(n, route):
    y = whitened_law()
    truth = symmetric(np.random.default_rng(2), 2, 3)
    expected = np.vdot(cumulants(y, WEIGHTS)[1], truth)
    total = 0.0
    for rows, chance in enumerate_samples(WEIGHTS, n):
        sample = y[rows] - y[rows].mean(axis=0)
        scale = n * n / ((n - 1) * (n - 2))
        total += chance * scale * third_sums(sample, None, SPREAD, truth, route).truth
    assert total == pytest.approx(expected, rel=1e-12)


def test_squares_leave_out_each_row_with_itself():
    # the bias of the plain squares is of order 1/n, that of the estimates of order 1/n^2
    y = whitened_law()
    _, t, _ = cumulants(y, WEIGHTS)
    v = np.einsum("iku,i->u", np.einsum("iku,ik->iku", t, np.eye(2)), SPREAD)
    exact = np.array([v @ v, np.einsum("iku,i,k->", t * t, SPREAD, SPREAD)])
    bias, plain = [], []
    for n in (15, 30):
        mean, raw = np.zeros(2), np.zeros(2)
        for rows, chance in enumerate_samples(WEIGHTS, n):
            sample = y[rows] - y[rows].mean(axis=0)
            scalars = row_scalars(sample, None, SPREAD)
            scale = (n * n / ((n - 1) * (n - 2))) ** 2
            values = scale * np.array([
                scalars.v @ scalars.v, third_sums(sample, None, SPREAD, np.zeros((2, 2, 2)), "tensor").spread
            ])  # fmt: skip
            raw += chance * values
            mean += chance * np.array([
                other_rows(n, values[0], scalars.d21), other_rows(n, values[1], scalars.d22)
            ])  # fmt: skip
        bias.append(mean - exact)
        plain.append(raw - exact)
    assert (np.abs(bias[1]) < 0.25 * np.abs(plain[1])).all()
    assert (np.abs(plain[0] / plain[1]) < 3.0).all()
    assert (np.abs(bias[0] / bias[1]) > 3.0).all()


def test_the_bias_that_is_left_is_the_one_stated():
    """The inverse of the sampled G, for F of p exponential variables: -(57 + 3 p)/N; halves take it off."""
    rng = np.random.default_rng(3)
    p, n, repeats = 2, 1000, 1500
    whole, halves = np.empty(repeats), np.empty(repeats)
    for i in range(repeats):
        x = rng.exponential(size=(n, p))
        whole[i] = from_samples(x).F
        halves[i] = 0.5 * (from_samples(x[: n // 2]).F + from_samples(x[n // 2 :]).F)
    true = 4.0 * p
    se = whole.std() / math.sqrt(repeats) / true
    assert abs(whole.mean() / true - 1 + (57 + 3 * p) / n) < 4 * se + 0.01
    assert abs((2 * whole - halves).mean() / true - 1) < 4 * se + 0.01


def test_samples_of_independent_exponentials():
    # p = 30: t0 = 30, F = B = 4 p, K = 6 p
    draws = np.random.default_rng(11).exponential(size=(20_000, 30))
    found = from_samples(draws)
    # four standard errors over 40 such samples: 2.5 for F, 3 for B, 8 for K
    assert found.t0 == 30.0
    assert abs(found.F - 120.0) < 10.0
    assert abs(found.B - 120.0) < 12.0
    assert abs(found.K - 180.0) < 32.0
    assert found.t1 == found.t22 == found.F


@pytest.mark.parametrize("p", [1, 3, 20])
def test_routes_agree(p):
    rng = np.random.default_rng(p)
    draws, data = rng.gamma(2.0, size=(700, p)), rng.gamma(3.0, size=(90, p))
    centred = data - data.mean(axis=0)
    cov = np.atleast_2d(np.cov(data.T))
    scale = 90**2 / (89 * 88)
    third = scale * np.einsum("ai,aj,ak->ijk", centred, centred, centred) / 90
    found = [
        from_samples(draws, truth_cov=cov, truth_third=kappa, route=route)
        for kappa in (third, Rows(centred, None, scale))
        for route in ("auto", "tensor", "gram")
    ]
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-10)
    assert fourth_from_samples(draws, truth_cov=cov) == pytest.approx(found[0].t31, rel=1e-12)
    assert fourth_from_samples(draws) == pytest.approx(found[0].K, rel=1e-12)
    well = [from_samples(draws, route=route) for route in ("tensor", "gram")]
    assert well[0] == pytest.approx(well[1], rel=1e-10)


@pytest.mark.parametrize("route", ["tensor", "gram"])
def test_memory_is_bounded(route):
    draws = np.random.default_rng(0).standard_normal((4_000, 230))
    if route == "tensor":
        draws = draws[:600]
    tracemalloc.start()
    from_samples(draws, truth_cov=np.eye(230), truth_third=Rows(draws[:50]), route=route)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * draws.nbytes + 64 * 2**20 + 8 * 230**2 * 16


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"probs": [0.5, 0.6]}, ValueError, "sum"),
        ({"probs": [0.5]}, ValueError, "one probability a row"),
        ({"probs": [1.5, -0.5]}, ValueError, ">= 0"),
        ({"statistic": [0.0, np.nan]}, ValueError, "finite"),
        ({"statistic": ["a", "b"]}, TypeError, "real numbers"),
        ({"statistic": np.zeros((2, 2, 2))}, ValueError, r"\(N, p\)"),
        ({"route": "fast"}, ValueError, "route"),
        ({"truth_cov": [[1.0]]}, ValueError, "without truth_third"),
        ({"truth_third": [[[1.0]]]}, ValueError, "without truth_cov"),
        ({"truth_cov": [[1.0]], "truth_third": np.zeros((2, 2, 2))}, ValueError, "truth_third.shape"),
        ({"truth_cov": np.eye(2), "truth_third": [[[1.0]]]}, ValueError, "truth_cov.shape"),
        ({"truth_cov": [[-1.0]], "truth_third": [[[1.0]]]}, ValueError, "negative eigenvalue"),
        ({"truth_cov": [[1.0]], "truth_third": Rows(np.zeros((3, 2)))}, ValueError, "truth_third.rows.shape"),
        ({"truth_cov": [[1.0]], "truth_third": Rows(np.zeros((3, 1)), np.ones(2))}, ValueError, "weights.shape"),
    ],
)
def test_bad_input(change, error, words):
    arguments = {"statistic": [0.0, 1.0], "probs": [0.5, 0.5]} | change
    with pytest.raises(error, match=words):
        from_support(**arguments)


def test_more_bad_input():
    with pytest.raises(ValueError, match="more than 3 rows"):
        from_samples([0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="more than 5 rows"):
        from_samples(np.random.default_rng(0).standard_normal((5, 5)))
    with pytest.raises(ValueError, match="symmetric"):
        from_cumulants([[1.0, 0.5], [0.0, 1.0]], np.zeros((2, 2, 2)), lambda w: w)
    with pytest.raises(ValueError, match="order of its indices"):
        from_cumulants(np.eye(2), np.arange(8.0).reshape(2, 2, 2), lambda w: w)
    with pytest.raises(ValueError, match=r"fourth\(W\)"):
        from_cumulants(np.eye(2), np.zeros((2, 2, 2)), lambda w: w[:1])
