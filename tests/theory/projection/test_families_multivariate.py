"""The multivariate normal family at sizes where tensors of order p^3 are out of the question."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from asymptopia.theory.projection.contractions import Rows, from_cumulants
from asymptopia.theory.projection.families.multivariate import MultivariateNormal
from asymptopia.theory.projection.families.normal import Normal


def some_cov(d: int, seed: int = 0) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(d, d + 2))
    return root @ root.T / d


@pytest.mark.parametrize("d", [1, 2, 3, 7, 20, 31])
def test_second_coefficient_by_dimension(d: int) -> None:
    # d(10 d^2 + 51 d + 61)/24, and d(10 d^2 + 21 d + 13)/24 where the mean is known
    for known, wanted in ((False, d * (10 * d * d + 51 * d + 61) / 24), (True, d * (10 * d * d + 21 * d + 13) / 24)):
        family = MultivariateNormal(d, known_mean=known)
        usual = (some_cov(d),) if known else (np.arange(d) * 100.0, some_cov(d))
        found = family.contractions(family.natural(*usual))
        assert found.t0 == family.dim == d * (d + (1 if known else 3)) // 2
        second = (10 * found.F + 9 * found.B - 9 * found.K) / 24
        assert second == pytest.approx(wanted, rel=1e-14)


def test_mardia_kurtosis_of_an_elliptical_truth() -> None:
    # with a known mean t0 = (E (y'y)^2 - d)/2; the multivariate t with nu degrees has the kurtosis
    # d(d + 2)(nu - 2)/(nu - 4)
    d, nu = 3, 9
    family = MultivariateNormal(d, known_mean=True)
    theta = family.natural(np.eye(d))
    # fourth moments of a standardised t: isotropic, so that the covariance of products is that of the normal times a
    ratio = (nu - 2) / (nu - 4)
    at = np.column_stack(np.triu_indices(d))
    cov = np.zeros((family.dim, family.dim))
    for a, (i, j) in enumerate(at):
        for b, (k, m) in enumerate(at):
            pairs = sum(int(u == v and w == z) for u, v, w, z in ((i, j, k, m), (i, k, j, m), (i, m, j, k)))
            cov[a, b] = ratio * pairs - float(i == j and k == m)
    found = family.contractions(theta, truth_cov=cov, truth_third=np.zeros((family.dim,) * 3))
    assert found.t0 == pytest.approx((d * (d + 2) * ratio - d) / 2, rel=1e-14)
    assert found.t1 == 0.0


@pytest.mark.parametrize("known", [False, True])
def test_contractions_with_rows_equal_the_tensors(known: bool) -> None:
    d, n = 4, 300
    rng = np.random.default_rng(1)
    x = rng.standard_t(6, size=(n, d)) @ rng.normal(size=(d, d)) + np.array([5.0, -3.0, 0.0, 1.0]) * (not known)
    family = MultivariateNormal(d, known_mean=known)
    rows = family.statistic(x)
    theta = family.mle(rows.mean(axis=0))
    rows = rows - rows.mean(axis=0)
    kappa = np.einsum("ni,nj,nk->ijk", rows, rows, rows, optimize=True) / n
    wanted = from_cumulants(
        family.cov(theta),
        family.third(theta),
        lambda w: family.fourth(theta, w),
        truth_cov=rows.T @ rows / n,
        truth_third=kappa,
    )
    found = family.contractions(theta, truth_cov=rows.T @ rows / n, truth_third=Rows(rows))
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    found = family.contractions(theta, truth_cov=rows.T @ rows / n, truth_third=kappa)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


def test_rows_in_blocks_equal_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from asymptopia.theory.projection.families import quadratic_forms

    family = MultivariateNormal(3)
    theta = family.natural(np.zeros(3), some_cov(3))
    rows = np.random.default_rng(2).normal(size=(101, family.dim))
    truth = {"truth_cov": rows.T @ rows / 101, "truth_third": Rows(rows)}
    once = family.contractions(theta, **truth)
    monkeypatch.setattr(quadratic_forms, "_BLOCK", 90)
    np.testing.assert_allclose(family.contractions(theta, **truth), once, rtol=1e-13)


def test_memory_is_bounded_at_500_parameters() -> None:
    # a third cumulant of 495^3 numbers would take 970 MB
    d = 30
    family = MultivariateNormal(d)
    theta = family.natural(np.zeros(d), some_cov(d))
    rows = np.random.default_rng(3).normal(size=(700, family.dim))
    cov = rows.T @ rows / 700
    tracemalloc.start()
    found = family.contractions(theta, truth_cov=cov, truth_third=Rows(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(found).all()
    assert peak < 120e6


def test_one_dimension_is_the_normal_family() -> None:
    one, normal = MultivariateNormal(1), Normal()
    theta = one.natural([1.5], [[0.4]])
    np.testing.assert_allclose(theta, normal.natural(1.5, 0.4), rtol=1e-15)
    w = np.array([[1.0, 0.3], [0.3, 2.0]])
    for found, wanted in (
        (one.mean(theta), normal.mean(theta)),
        (one.cov(theta), normal.cov(theta)),
        (one.third(theta), normal.third(theta)),
        (one.fourth(theta, w), normal.fourth(theta, w)),
        (one.contractions(theta), normal.contractions(theta)),
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)
    assert one.log_partition(theta) == pytest.approx(normal.log_partition(theta), rel=1e-14)


def test_density_is_that_of_scipy() -> None:
    mean, cov = np.array([1.0, -2.0, 0.5]), some_cov(3)
    family = MultivariateNormal(3)
    theta = family.natural(mean, cov)
    x = np.random.default_rng(4).normal(size=(6, 3))
    found = family.statistic(x) @ theta - family.log_partition(theta) - 1.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, stats.multivariate_normal(mean, cov).logpdf(x), rtol=1e-12)


def test_divergence_is_that_of_two_normal_laws() -> None:
    d = 5
    family = MultivariateNormal(d)
    first, second = (np.zeros(d), some_cov(d, 1)), (np.ones(d), some_cov(d, 2))
    inverse = np.linalg.inv(second[1])
    logs = np.linalg.slogdet(second[1])[1] - np.linalg.slogdet(first[1])[1]
    wanted = 0.5 * (np.trace(inverse @ first[1]) + np.ones(d) @ inverse @ np.ones(d) - d + logs)
    assert family.divergence(family.natural(*first), family.natural(*second)) == pytest.approx(wanted, rel=1e-12)


def test_estimate_is_the_sample_covariance() -> None:
    x = np.random.default_rng(5).normal(size=(40, 3)) @ np.diag([1e-3, 1.0, 1e4])
    family = MultivariateNormal(3)
    usual = family.usual(family.mle(family.statistic(x).mean(axis=0)))
    np.testing.assert_allclose(usual["mean"], x.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(usual["cov"], np.cov(x.T, bias=True), rtol=1e-10)
    known = MultivariateNormal(3, known_mean=[0.0, 0.0, 1e4])
    away = x - [0.0, 0.0, 1e4]
    np.testing.assert_allclose(
        known.usual(known.mle(known.statistic(x).mean(axis=0)))["cov"], away.T @ away / 40, rtol=1e-9
    )
