"""The kernels of the checks of the MLE's risk on what they draw, against numpy and the library, in every form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special

from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families import Beta, Dirichlet, Exponential, Gamma, Normal, Poisson
from asymptopia.verify.checks import projection_cases as cases
from asymptopia.verify.checks import projection_cases_sample as samples
from asymptopia.verify.checks import projection_cases_search as search
from asymptopia.verify.checks import projection_cases_solve as solve
from asymptopia.verify.checks import projection_kernels as kernels
from asymptopia.verify.checks import projection_kernels_search as searches
from asymptopia.verify.checks import projection_kernels_solve as solvers
from asymptopia.verify.checks.projection import CHECKS
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.gamma import gamma, log_gamma_variate
from asymptopia.verify.device.normal import normal_pair
from asymptopia.verify.device.poisson import table_draw
from asymptopia.verify.device.stream import Stream, substream, uniform
from asymptopia.verify.engine.build import compile_kernel
from asymptopia.verify.engine.check import Check
from asymptopia.verify.engine.exact import accumulator, scale_array
from asymptopia.verify.engine.grid import Grid
from asymptopia.verify.engine.judge import windows_of


def streams(count: int) -> list[Stream]:
    return [(5, 6, r, 0, 0) for r in range(count)]


def taylor(rows: np.ndarray, weights: np.ndarray, eps: np.ndarray) -> float:
    """Quadratic and cubic term of the divergence, from the statistic's moments at quadrature nodes."""
    x = rows - weights @ rows
    gram = (x * weights[:, None]).T @ x
    v = x @ np.linalg.solve(gram, eps)
    return float(weights @ v**2) / 2 - float(weights @ v**3) / 3


def nodes(law: cases.Law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, statistics and weights of a fine quadrature of the law, the mean being 1 of positive ones."""
    if law.kind == kernels.NORMAL:
        x, w = np.polynomial.hermite_e.hermegauss(40)
        return x, np.column_stack([x, x * x]), w / w.sum()
    t = np.linspace(-14, 6, 40001)
    x = np.exp(t)
    if law.kind == kernels.GAMMA:
        w = np.exp(law.shape * (t - x))
        return x, x[:, None], w / w.sum()
    w = np.exp(-t / 2 - (x - 1) ** 2 / (2 * law.shape * x))
    return x, np.column_stack([x, 1 / x]), w / w.sum()


@pytest.mark.parametrize(
    "law", [cases.normal_law(), cases.gamma_law(1.0), cases.gamma_law(4.0), cases.inverse_gaussian_law(0.5)]
)
def test_sufficient_statistics(law: cases.Law) -> None:
    n = 24
    _, rows, weights = nodes(law)
    for stream in streams(5):
        j, seconds, first = 0, [], (0.0, 0.0)
        for size in (n, 2 * n):
            shape = size * law.shape if law.kind == kernels.GAMMA else (size - 1) / 2
            g, j = gamma(stream, j, shape)
            z, _, j = normal_pair(stream, j)
            if law.kind == kernels.GAMMA:
                r = g / shape
                eps = np.array([r - 1])
                divergence = law.shape * (math.log(r) + 1 / r - 1)
                optimism = law.shape * (1 - 1 / r) * (r - 1)
            elif law.kind == kernels.NORMAL:
                m, s = z / math.sqrt(size), 2 * g / size
                eps = np.array([m, s + m * m - 1])
                divergence = (math.log(s) + (1 + m * m) / s - 1) / 2
                # natural parameters mu/s and -1/(2 s)
                optimism = m / s * m + (1 - 1 / s) / 2 * (s + m * m - 1)
            else:
                s = 2 * g / size
                y = z * z * law.shape / (2 * size)
                large = 1 + y + math.sqrt(y * (2 + y))
                share, _ = uniform(substream(stream, 1), j)
                m = 1 / large if share <= 1 / (1 + 1 / large) else large
                lam = 1 / law.shape
                eps = np.array([m - 1, s / lam + 1 / m - 1 - 1 / lam])
                divergence = (math.log(s) + 1 / s - 1) / 2 + lam / s * (1 - m) ** 2 / (2 * m * m)
                change = np.array([lam - lam / s / m**2, lam - lam / s]) / 2
                optimism = float(change @ eps)
            first = first if seconds else (divergence, optimism)
            seconds.append(size**2 * (divergence - taylor(rows, weights, eps)))
        found = kernels.direct_statistics(stream, list(law.params(n, 2)))
        assert found[0] == pytest.approx(first[0], rel=1e-10)
        assert found[1] == pytest.approx(2 * seconds[1] - seconds[0] + law.cubic, rel=1e-6, abs=1e-6)
        assert found[2] == pytest.approx(first[1], rel=1e-9)


@pytest.mark.parametrize("law", [cases.normal_law(), cases.gamma_law(4.0), cases.inverse_gaussian_law(0.5)])
def test_mean_of_the_cubic_term(law: cases.Law) -> None:
    _, rows, weights = nodes(law)
    x = rows - weights @ rows
    third = np.einsum("s,si,sj,sk->ijk", weights, x, x, x)
    inverse = np.linalg.inv((x * weights[:, None]).T @ x)
    raised = np.einsum("abc,ai,bj,ck->ijk", third, inverse, inverse, inverse)
    assert law.cubic == pytest.approx(-float((third * raised).sum()) / 3, rel=1e-6)
    assert law.expansion().contractions.t1 == pytest.approx(-3 * law.cubic, rel=1e-9)


@pytest.mark.parametrize(("d", "known"), [(1, False), (2, False), (4, False), (3, True)])
def test_covariance_of_two_diagonals(d: int, known: bool) -> None:
    law, n = cases.multivariate_law(d, known), 15
    for stream in streams(4):
        j, factor, mean, spare = 0, np.zeros((d, d)), np.zeros(d), 0.0
        for i in range(d):
            g, j = gamma(stream, j, (n - (0 if known else 1) - i) / 2)
            factor[i, i] = math.sqrt(2 * g / n)
            if i:
                g, j = gamma(stream, j, (d - i) / 2)
                factor[i, i - 1] = math.sqrt(2 * g / n)
            if i % 2 == 0:
                z, spare, j = normal_pair(stream, j)
            else:
                z = spare
            mean[i] = 0.0 if known else z / math.sqrt(n)
        s = factor @ factor.T
        inverse = np.linalg.inv(s)
        divergence = (np.linalg.slogdet(s)[1] + np.trace(inverse) - d + mean @ inverse @ mean) / 2
        second = s + np.outer(mean, mean)
        out = (np.trace(inverse) + mean @ inverse @ mean - d) / 2
        found = kernels.direct_statistics(stream, list(law.params(n, 1)))
        assert found[0] == pytest.approx(divergence, rel=1e-10)
        # in the sample the trace is d; out of it, that of the inverse; the linear term has mean 0
        assert found[2] == pytest.approx(out + (np.trace(second) - d) / 2, rel=1e-9)


SAMPLES = [
    samples.three_points(),
    samples.normal_from_gamma(4.0),
    samples.exponential_sample(2.0),
    samples.poisson_sample(2.0, 4.0),
]


@pytest.mark.parametrize("item", SAMPLES, ids=lambda item: item.name)
def test_samples(item: samples.Sample) -> None:
    n = 30
    params = list(item.params(n, 2))
    for stream in streams(4):
        j, x = 0, []
        for _ in range(2 * n):
            if item.draw[0] > 0:
                value, j = gamma(stream, j, item.draw[0])
            else:
                count, j = table_draw(stream, j, params, kernels.TABLE)
                value = float(count)
            x.append(item.draw[1] + item.draw[2] * value)
        found = kernels.sample_statistics(stream, params)
        seconds = []
        for size in (n, 2 * n):
            y = np.array(x[:size])
            m, s = y.mean(), y.var()
            if isinstance(item.family, Normal):
                divergence = (math.log(s) + (1 + m * m) / s - 1) / 2
                h1, h2 = m, float((y * y).mean()) - 1
                terms = h1**2 / 2 + h2**2 / 4 - h2**3 / 3 - h1**2 * h2
            elif isinstance(item.family, Exponential):
                divergence, u = math.log(m) + 1 / m - 1, m - 1
                terms = u * u / 2 - 2 * u**3 / 3
            else:
                assert isinstance(item.family, Poisson)
                u = m - 1
                divergence, terms = item.mean * (u - math.log(m)), item.mean * (u * u / 2 - u**3 / 3)
            seconds.append(size**2 * (divergence - terms))
            if size == n:
                assert found[0] == pytest.approx(divergence, rel=1e-10)
                data = y * item.mean if isinstance(item.family, Poisson) else y
                at = kl_risk_expansion(item.family, truth=data).contractions
                t0, a3, a4 = at.t0, at.A3, at.A4
        assert found[1] == pytest.approx(2 * seconds[1] - seconds[0], rel=1e-7, abs=1e-7)
        assert found[2] == pytest.approx(n * (t0 - item.expansion().contractions.t0), rel=1e-9, abs=1e-9)
        if isinstance(item.family, Exponential | Poisson):
            assert found[3] == pytest.approx(n * t0 / 2 - a3 / 6 + a4 / 8, rel=1e-9)
            assert found[4] == pytest.approx(n * t0 / 2 + a3 / 3 + 3 * a4 / 8, rel=1e-9)
        else:
            # the kernel's third and fourth order are not unbiased: they differ by 1/n of themselves
            assert found[3] == pytest.approx(n * t0 / 2 - a3 / 6 + a4 / 8, abs=8 * (abs(a3) + abs(a4)) / n)
            assert found[4] - found[3] == pytest.approx(a3 / 2 + a4 / 4, abs=8 * (abs(a3) + abs(a4)) / n)


@pytest.mark.parametrize("item", SAMPLES, ids=lambda item: item.name)
def test_second_coefficient_under_a_truth_outside_the_model(item: samples.Sample) -> None:
    found = item.expansion()
    assert found.c2 == pytest.approx(item.closed, rel=1e-7)
    assert found.contractions.t1 == pytest.approx(-3 * item.cubic, rel=1e-7)


def test_digamma_functions() -> None:
    for x in (0.05, 0.5, 1.0, 3.7, 8.0, 40.0, 1e4):
        first, second = solvers.digammas(x)
        assert first == pytest.approx(float(special.digamma(x)), rel=1e-13, abs=1e-14)
        assert second == pytest.approx(float(special.polygamma(1, x)), rel=1e-12)


@pytest.mark.parametrize("alpha", [(0.5,), (2.0,), (2.0, 3.0), (1.0, 2.0, 0.5)])
def test_fits(alpha: tuple[float, ...]) -> None:
    k, n = len(alpha), 24
    params = list(solve.fit_params(alpha, n))
    family = {1: Gamma(), 2: Beta(), 3: Dirichlet(3)}[k]
    usual = {1: {"shape": alpha[0], "rate": 1.0}, 2: {"a": alpha[0], "b": alpha[-1]}, 3: {"alpha": np.array(alpha)}}[k]
    theta = family.natural(**usual)
    for stream in streams(3):
        j, logs = 0, []
        for _ in range(n):
            row = []
            for a in alpha:
                x, j = log_gamma_variate(stream, j, a)
                row.append(x)
            logs.append(row)
        x = np.exp(np.array(logs))
        data = x[:, 0] if k == 1 else x / x.sum(axis=1, keepdims=True)
        data = data[:, 0] if k == 2 else data
        fitted = family.mle(family.statistic(data).mean(axis=0))
        found = solvers.fit_statistics(stream, params)
        assert found[0] == pytest.approx(family.divergence(theta, fitted), rel=1e-8)
        assert math.isfinite(found[1])
    assert -3 * solve.cubic_mean(alpha) == pytest.approx(kl_risk_expansion(family, theta).contractions.t1, rel=1e-9)


@pytest.mark.parametrize("parity", [0.0, 0.2])
def test_tables_of_three_spins(parity: float) -> None:
    family, item = solve.spins(parity)
    support = family.support()
    n = 192
    params = list(solve.ising_case(parity, 1.0).params)
    assert int(params[1]) == n
    theta = family.mle(item.truth @ support.statistic)
    for stream in streams(4):
        j, left, counts = 0, n, []
        for i in range(8):
            count, j = binomial(stream, j, left, params[solvers.HEAD + solvers.ROW * i])
            left -= count
            counts.append(count)
        share = np.array(counts) / n
        fitted = family.mle(share @ support.statistic)
        found = solvers.table_statistics(stream, params)
        assert found[:2] == pytest.approx((0.0, family.divergence(theta, fitted)), rel=1e-8)
        assert found[2] == found[1]
        shift = solvers.parity_shift(tuple(share), params, 8)  # type: ignore[arg-type]
        assert share + shift * item.signs == pytest.approx(family.probabilities(fitted), abs=1e-9)
    found_t1 = kl_risk_expansion(family, truth=item.truth).contractions.t1
    assert -3 * item.cubic() == pytest.approx(found_t1, rel=1e-9)


def test_tables_with_free_cells_and_totals() -> None:
    case = solve.cells_case((0.5, 0.3, 0.2), 9, 1.0)
    probs = np.array([0.5, 0.3, 0.2])
    for stream in streams(12):
        found = solvers.table_statistics(stream, list(case.params))
        j, missing = 0, -1.0
        share = np.zeros(3)
        while not share.all():
            left, row = 9, []
            for i in range(3):
                count, j = binomial(stream, j, left, case.params[solvers.HEAD + solvers.ROW * i])
                left -= count
                row.append(count)
            share = np.array(row) / 9
            missing = 1.0 - float(share.all()) if missing < 0 else missing
        risk = float((probs * np.log(probs / share)).sum())
        assert found[:3] == pytest.approx((missing, risk, risk * (1 - missing)), rel=1e-10)
    mean, size = 1.5 * 0.3 / 0.7, 1.5
    case = solve.total_case(mean, size, 6, 1.0)
    for stream in streams(12):
        j, total, tries = 0, 0, 0
        while total == 0:
            total, j = table_draw(stream, j, list(case.params), int(case.params[5]))
            tries += 1
        q, fitted = 0.3, total / (6 * size + total)
        risk = size * math.log((1 - q) / (1 - fitted)) + mean * math.log(q / fitted)
        found = solvers.table_statistics(stream, list(case.params))
        assert found[:2] == pytest.approx((float(tries > 1), risk), rel=1e-9)


@pytest.mark.parametrize(("prior", "error"), [(0.5, 0.35), (0.3, 0.2), (0.7, 0.05)])
def test_random_pairs_have_the_error_asked_for(prior: float, error: float) -> None:
    bound = float(search.min_kl_given_bayes_error(error, prior))
    for stream in streams(40):
        divergence, overlap = searches.random_pair(stream, 1, prior, error)
        assert overlap == pytest.approx(error, rel=1e-12)
        assert divergence >= bound


def test_bootstrap_replicate() -> None:
    case = search.bootstrap_case((0.35, 0.4, 0.25), 40, 1.0)
    params = case.params
    n, resamples, quantile, target = int(params[0]), int(params[3]), params[4], params[5]

    def draw(stream: Stream, j: int, one: float, two: float) -> tuple[np.ndarray, int]:
        x2, j = binomial(stream, j, n, two)
        x1, j = binomial(stream, j, n - x2, one)
        return np.repeat([0.0, 1.0, 2.0], [n - x1 - x2, x1, x2]), j

    def coefficients(x: np.ndarray) -> tuple[float, float]:
        mean, variance = x.mean(), x.var(ddof=1)
        third = ((x - mean) ** 3).sum() * n / ((n - 1) * (n - 2))
        return -third / (3 * mean**2) + 3 * variance**2 / (4 * mean**3), variance / (2 * mean)

    for stream in streams(8):
        x, j = draw(stream, 0, params[1], params[2])
        again = []
        for _ in range(resamples):
            ones, twos = int((x == 1).sum()), int((x == 2).sum())
            sample, j = draw(stream, j, ones / (n - twos), twos / n)
            again.append(coefficients(sample))
        errors = np.std(again, axis=0, ddof=1)
        miss = abs(coefficients(x)[0] - target)
        limits = quantile * np.array([errors[0], errors[1], math.sqrt(2) * errors[0]])
        assert searches.bootstrap_statistics(stream, list(params)) == tuple(float(miss <= limit) for limit in limits)


@pytest.mark.parametrize("check", [CHECKS[0], CHECKS[4], CHECKS[2], CHECKS[3], *CHECKS[5:10]], ids=lambda item: item.id)
def test_the_same_integers_in_every_form(check: Check) -> None:
    case = check.cases("quick")[1]
    windows = windows_of(case, check.kernel.statistics)
    found = []
    for target, shape in (("cpu", None), ("python", None), ("emulator", Grid(3, 5))):
        acc = accumulator(windows)
        run = compile_kernel(check.kernel, target, shape)
        run(0x12345678, 0x9ABCDEF0, 0, 12, np.array(case.params), scale_array(windows), acc)
        found.append([int(value) for value in acc])
    assert any(found[0])
    assert found[0] == found[1] == found[2]


def test_quadrature_of_the_inverse_gaussian_law() -> None:
    x, rows, weights = nodes(cases.inverse_gaussian_law(0.5))
    mean, inverse = weights @ rows
    assert (mean, inverse) == pytest.approx((1.0, 1.5), rel=1e-8)
    density = integrate.quad(lambda y: y * math.exp(-((y - 1) ** 2) / y) * (y**3 * math.pi) ** -0.5, 0, math.inf)[0]
    assert density == pytest.approx(float(weights @ x), rel=1e-6)
