"""Times and errors of the p-n criterion and its contractions, beside numpy's einsum, statsmodels and mpmath.

`off` is the largest relative error against what the row names: 40 or more digits, whole tensors, a formula in moments.
In brackets stands the value of the law drawn from. Times are wall and, of all threads, CPU; minima over repeats.
Abalone and red wine are read where ASYMPTOPIA_DATA names the folder with uci/abalone.data, else simulated.
Run: python benchmarks/bench_projection.py [--slow]
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np

from asymptopia.theory import projection
from asymptopia.theory.projection import closed_forms, exact_closed
from asymptopia.theory.projection.contractions import fourth_from_samples
from asymptopia.verify.checks.projection import DIRECT
from asymptopia.verify.checks.projection_cases import Law, exact_case, gamma_law, multivariate_law, normal_law
from asymptopia.verify.engine.build import compile_kernel
from asymptopia.verify.engine.judge import windows_of
from asymptopia.verify.engine.plan import BLOCK
from asymptopia.verify.engine.pool import Job, Pool

NAMES = ("t0", "t1", "t21", "t22", "t31")
THREE_POINTS = {-1.0: 0.3, 0.0: 0.45, 2.0: 0.25}
REPLICATES = 1 << 22


class Timed(NamedTuple):
    wall: float
    cpu: float
    value: Any


def best(call: Callable[[], Any], repeats: int = 3, *, warm: bool = True) -> Timed:
    """Return the least of some times, and the value."""
    if warm:
        call()
    wall, cpu, value = math.inf, math.inf, None
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        value = call()
        wall, cpu = min(wall, time.perf_counter() - start), min(cpu, time.process_time() - used)
    return Timed(wall, cpu, value)


def show(task: str, found: Timed, note: str = "") -> None:
    unit, scale = ("s ", 1.0) if found.wall >= 1.0 else ("ms", 1e3)
    print(f"  {task:<64}{scale * found.wall:9.3f} {unit} cpu {scale * found.cpu:9.3f} {unit}  {note}")


def off(found: Any, wanted: Any) -> float:
    """Return the largest relative error."""
    found, wanted = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    return float(np.max(np.abs(found - wanted) / np.abs(wanted)))


def file_of(name: str, wanted: int) -> Path | None:
    """Return the path of a file of data, if it is at hand."""
    folder = Path(os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[2] / "shared" / "data")
    path = folder / "uci" / name
    return path if path.is_file() and sum(1 for _ in path.open(encoding="utf-8")) > wanted else None


def closed(count: int = 100_000) -> None:
    print(f"closed forms and exact risks, arrays of {count}")
    rng = np.random.default_rng(0)
    mpmath.mp.dps = 40

    def normal(n: int) -> Any:
        n = mpmath.mpf(n)
        return (mpmath.digamma((n - 1) / 2) + mpmath.log(2 / n)) / 2 + (n + 1) / (2 * (n - 3)) - mpmath.mpf(1) / 2

    def gamma(a: float) -> Any:
        a = mpmath.mpf(a)
        p1, p2, p3 = (mpmath.polygamma(k, a) for k in (1, 2, 3))
        top = -9 * a**3 * p1 * p3 + 19 * a**3 * p2**2 + 22 * a**2 * p1**3 - 18 * a**2 * p1 * p2 + 9 * a**2 * p3
        return (top - 63 * a * p1**2 + 56 * a * p2 + 60 * p1) / (24 * (a * p1 - 1) ** 3)

    def plain(a: Any) -> Any:
        from scipy.special import polygamma

        p1, p2, p3 = (polygamma(k, a) for k in (1, 2, 3))
        top = -9 * a**3 * p1 * p3 + 19 * a**3 * p2**2 + 22 * a**2 * p1**3 - 18 * a**2 * p1 * p2 + 9 * a**2 * p3
        return (top - 63 * a * p1**2 + 56 * a * p2 + 60 * p1) / (24 * (a * p1 - 1) ** 3)

    sizes = np.unique(np.geomspace(4, 1e9, count).astype(np.int64))
    some = sizes[:: sizes.size // 40]
    found = best(lambda: exact_closed.normal_risk(sizes))
    wanted = [float(normal(int(n))) for n in some]
    show(
        f"exact risk of the normal law, {sizes.size} sizes 4 to 1e9",
        found,
        f"off {off(found.value[:: sizes.size // 40], wanted):.1e}",
    )
    digits = (sizes - 1) / 2.0
    from scipy.special import digamma

    peer = best(lambda: 0.5 * (digamma(digits) + np.log(2.0 / sizes)) + (sizes + 1) / (2.0 * (sizes - 3)) - 0.5)
    show("the same as written, scipy digamma", peer, f"off {off(peer.value[:: sizes.size // 40], wanted):.1e}")
    shapes = np.geomspace(0.01, 1e5, count)
    some_shapes = shapes[:: count // 40]
    wanted = [float(gamma(a)) for a in some_shapes]
    found = best(lambda: closed_forms.gamma(shapes).c2)
    show("c2 of the gamma law, shapes 0.01 to 1e5", found, f"off {off(found.value[:: count // 40], wanted):.1e}")
    peer = best(lambda: plain(shapes))
    show("the same as written, scipy polygamma", peer, f"off {off(peer.value[:: count // 40], wanted):.1e}")
    cells = rng.dirichlet(np.ones(5), count) * 0.9 + 0.02
    found = best(lambda: closed_forms.multinomial(cells).c2)
    wanted = [float(mpmath.fsum(5 / (12 * mpmath.mpf(p)) for p in row) - mpmath.mpf(29) / 12) for row in cells[::2500]]
    show("c2 of five cells", found, f"off {off(found.value[::2500], wanted):.1e}")
    one = best(lambda: projection.kl_threshold(0.05), 20)
    show("kl_threshold(0.05)", one, f"off {off(one.value, 0.0200446831579529501):.1e}")
    v = np.linspace(0.0, 0.999, count)
    found = best(lambda: projection.min_kl_given_tv(v))
    show("min_kl_given_tv", found, f"off {off(projection.min_kl_given_tv(0.5), 0.53229790889199995063):.1e}")
    found = best(lambda: projection.max_tv_given_kl(projection.min_kl_given_tv(v[1:])))
    show("and back, max_tv_given_kl", found, f"off {off(found.value, v[1:]):.1e}")


def enumerated() -> None:
    print("exact risks by sums and integrals (oracles of 50 digits)")
    normal = projection.Normal()
    found = best(lambda: projection.kl_risk_exact(normal, n=800, truth=THREE_POINTS), 2)
    show(
        "normal <- 3 points, n = 800: 321,201 compositions",
        found,
        f"off {off(found.value.value, 0.0009597606789226252):.1e}",
    )
    cells = projection.Multinomial(3)
    theta = cells.natural(probs=[0.5, 0.3, 0.2])
    found = best(lambda: projection.kl_risk_exact(cells, theta, n=9))
    show("3 cells, n = 9", found, f"off {off(found.value.value, 0.092913642113150313496):.1e}")
    gamma = projection.Gamma()
    for shape, n, known in (
        (8.0, 4, 1.6824252487790031411660828634946),
        (20.0, 1000, 0.0010051171011895170868821184719633),
    ):
        law = gamma.natural(shape=shape, rate=1.0)
        found = best(lambda law=law, n=n: projection.kl_risk_exact(gamma, law, n=n))
        show(f"gamma, shape {shape:g} unknown, n = {n}", found, f"off {off(found.value.value, known):.1e}")
    wide = projection.Multinomial(12)
    chances = np.arange(1, 13) / 78.0
    at = wide.natural(probs=chances)
    found = best(lambda: projection.kl_risk_exact(wide, at, n=1000), 1)
    lost, value = by_inclusion(chances, 1000)
    missing = off(found.value.prob_no_mle, lost)
    show(
        "12 cells, n = 1000",
        found,
        f"off {off(found.value.value, value):.1e}, P(no MLE) {missing:.1e}: 4095 terms, 60 digits",
    )


def by_inclusion(chances: Any, n: int) -> tuple[float, float]:
    """Return P(an empty cell) and the conditional risk from inclusion and exclusion, at 60 digits."""
    with mpmath.workdps(60):
        p = [mpmath.mpf(round(78 * c)) / 78 for c in chances]
        k = len(p)
        # distinct sums of cells, with signed multiplicities, out of which the other cells are empty
        full = signed(p)
        keep = mpmath.fsum(sign * left**n for left, sign in full.items())
        logs = [mpmath.log(j) for j in range(1, n + 1)]
        binomials = [mpmath.mpf(1)]
        for j in range(1, n + 1):
            binomials.append(binomials[-1] * (n - j + 1) / j)
        total = mpmath.mpf(0)
        for i in range(k):
            rest = signed(p[:i] + p[i + 1 :])
            for j in range(1, n - k + 2):
                others = mpmath.fsum(sign * left ** (n - j) for left, sign in rest.items())
                total += binomials[j] * p[i] ** j * others * p[i] * (mpmath.log(p[i] * n) - logs[j - 1])
        return float(1 - keep), float(total / keep)


def signed(p: list[Any]) -> dict[Any, int]:
    """Return the sums over subsets of cells, with (-1) to the number of those left out, added up."""
    sums = {mpmath.mpf(0): 1}
    for each in p:
        step: dict[Any, int] = {}
        for value, sign in sums.items():
            step[value] = step.get(value, 0) - sign
            key = value + each
            step[key] = step.get(key, 0) + sign
        sums = {key: sign for key, sign in step.items() if sign}
    return sums


def tensors(rows: Any, other: Any) -> list[float]:
    """Return the five contractions from whole tensors of the third and fourth order, by einsum."""
    n = rows.shape[0]
    y, z = rows - rows.mean(axis=0), other - other.mean(axis=0)
    g, s = y.T @ y / n, z.T @ z / z.shape[0]
    t = np.einsum("ai,aj,ak->ijk", y, y, y, optimize=True) / n
    kappa = np.einsum("ai,aj,ak->ijk", z, z, z, optimize=True) / z.shape[0]
    pairs = np.einsum("ai,aj->aij", y, y).reshape(n, -1)
    q = (pairs.T @ pairs / n).reshape((rows.shape[1],) * 4)
    for order in ("ij,kl->ijkl", "ik,jl->ijkl", "il,jk->ijkl"):
        q -= np.einsum(order, g, g)
    inverse = np.linalg.inv(g)
    w = inverse @ s @ inverse
    v = np.einsum("iku,ik->u", t, w)
    raised = np.einsum("iku,im,ko,uv->mov", t, w, w, inverse, optimize=True)
    up = np.einsum("ikm,ij,kl,ms->jls", kappa, inverse, inverse, inverse, optimize=True)
    return [
        float(np.trace(inverse @ s)),
        float(np.vdot(up, t)),
        float(v @ inverse @ v),
        float(np.vdot(raised, t)),
        float(np.einsum("ikmo,ik,mo", q, w, w, optimize=True)),
    ]


def contracted() -> None:
    rng = np.random.default_rng(0)
    n, p = 4000, 30
    print(f"contractions of {n} states in {p} dimensions, truth {n} other rows")
    rows = rng.exponential(size=(n, p)) @ (np.eye(p) + 0.1 * rng.standard_normal((p, p)))
    other = rng.gamma(2.0, size=(n, p))
    centred = other - other.mean(axis=0)
    truth = {"truth_cov": centred.T @ centred / n, "truth_third": projection.Rows(centred)}
    probs = np.full(n, 1.0 / n)
    whole = best(lambda: tensors(rows, other), 2)
    for route in ("tensor", "gram"):
        found = best(lambda route=route: projection.from_support(rows, probs, route=route, **truth))
        error = off([getattr(found.value, name) for name in NAMES], whole.value)
        show(f"from_support, {route}", found, f"off {error:.1e} against whole tensors")
    show("whole tensors, numpy einsum and BLAS", whole)
    for n, p in ((20_000, 66), (20_000, 200)):
        print(f"contractions from {n} draws of {p} independent exponentials")
        draws = rng.exponential(size=(n, p))
        wanted = {"F": 4 * p, "B": 4 * p, "K": 6 * p}
        ends = []
        for route in ("tensor", "gram"):
            found = best(lambda route=route, draws=draws: projection.from_samples(draws, route=route), 1, warm=False)
            ends.append([getattr(found.value, name) for name in wanted])
            note = ", ".join(f"{k} {v:.1f} ({wanted[k]})" for k, v in zip(wanted, ends[-1], strict=True))
            show(f"from_samples, {route}", found, note)
        print(f"  {'tensor against gram':<64}{'':>33}  off {off(*ends):.1e}")
    n, p = 20_000, 500
    draws = rng.exponential(size=(n, p))
    found = best(lambda: fourth_from_samples(draws), 2)
    wide = by_sums(draws)
    show(
        f"t31 alone, {n} draws, p = {p}",
        found,
        f"off {off(found.value, wide):.1e} of the unbiased sum; {found.value:.0f} (3000)",
    )
    print(f"  {'the tensor of fourth order would take':<64}{p**4 * 8 / 1e9:9.0f} GB")


def by_sums(draws: Any) -> float:
    """Return the unbiased fourth cumulant of draws contracted with the inverse covariance, in extended precision."""
    n, p = draws.shape
    rows = draws - draws.mean(axis=0)
    cov = rows.T @ rows / (n - 1)
    sizes = np.einsum("ai,ai->a", rows, np.linalg.solve(cov, rows.T).T).astype(np.longdouble)
    scale = np.longdouble(n) ** 2 / ((n - 1.0) * (n - 2.0) * (n - 3.0))
    # the mean of y y' is (n - 1)/n, and so is p times it the mean of the squared lengths
    mean = np.longdouble(n - 1) / n
    return float(scale * ((n + 1) * (sizes**2).mean() - (n - 1) * (mean**2 * p * p + 2 * mean**2 * p)))


def abalone() -> tuple[str, Any]:
    path = file_of("abalone.data", 4177)
    if path is None:
        return "4177 simulated rows", np.random.default_rng(0).standard_normal((4177, 7))
    with path.open(encoding="utf-8", newline="") as stream:
        values = np.array([row[1:8] for row in list(csv.reader(stream))[1:]], dtype=float)
    return "abalone", np.log(values[values[:, 2] > 0])


def criterion() -> None:
    name, x = abalone()
    n, d = x.shape
    print(f"criterion, {name}: {n} rows in {d} dimensions, p = {d * (d + 3) // 2}")
    family = projection.MultivariateNormal(d)
    found = best(lambda: projection.pn_criterion(x, family), 7)
    shifted = x - x.mean(axis=0)
    sizes = np.einsum("ai,ai->a", shifted, np.linalg.solve(shifted.T @ shifted / n, shifted.T).T)
    mardia = 0.5 * ((sizes**2).mean() + d) * n / (n - 1)
    show("pn_criterion", found, f"t0 off {off(found.value.t0, mardia):.1e} of Mardia's kurtosis")
    report = best(lambda: projection.pn_criterion(x, family, bootstrap=100, rng=0), 1, warm=False)
    show("with 100 resamples", report)
    theta = found.value.theta_star
    # what is usual: draws of the model, and tensors with p^4 entries
    moments = best(lambda: by_tensors(family, theta, x), 1, warm=False)
    five = [getattr(found.value.contractions, name) for name in NAMES]
    show(
        "whole tensors from 20,000 draws of the model, numpy",
        moments,
        f"its noise {off(moments.value, five):.1e}",
    )
    likelihood()


def by_tensors(family: Any, theta: Any, x: Any) -> list[float]:
    """Return the contractions from draws of the model and whole tensors."""
    draws = family.statistic(family.sample(theta, 20_000, 0))
    return tensors(draws, family.statistic(x))


def likelihood() -> None:
    import statsmodels.api as sm

    counts = projection.load_dataset("randhie")["mdvis"].to_numpy()
    print(f"information criterion of a Poisson law, {counts.size} counts")
    peer = best(lambda: float(sm.GLM(counts, np.ones(counts.size), sm.families.Poisson()).fit().aic))
    found = best(lambda: projection.takeuchi_penalty(counts, projection.Poisson()))
    show(
        "takeuchi_penalty",
        found,
        f"AIC off {off(found.value.aic, peer.value):.1e}; TIC - AIC {found.value.tic - found.value.aic:.2f}",
    )
    show("statsmodels GLM, AIC only", peer)


def engine() -> None:
    print("simulation, one replicate: the sufficient statistics of n observations, three results")
    laws: list[tuple[Law, int]] = [(normal_law(), 50), (gamma_law(1.0), 12), (multivariate_law(4), 50)]
    kernel = compile_kernel(DIRECT)
    for law, n in laws:
        case = exact_case(law, n, 1.0)
        work = Job(kernel, (1, 2), np.array(case.params), windows_of(case, DIRECT.statistics), BLOCK)
        for threads in (1, 2):
            with Pool(threads) as pool:
                pool.blocks(work, 0, 64)
                found = best(lambda pool=pool, work=work: pool.blocks(work, 0, REPLICATES // BLOCK), 3, warm=False)
            moments = found.value.moments(0, work.windows[0])
            away = (float(moments.mean) - law.exact(n)) / math.sqrt(float(moments.variance) / REPLICATES)
            rate = f"{REPLICATES / found.wall / 1e6:.1f} (of CPU {REPLICATES / found.cpu / 1e6:.1f}) million a second"
            show(
                f"{law.name}, n = {n}, {threads} thread{'s' * (threads > 1)}",
                found,
                f"{rate}, {away:+.1f} se off the exact risk",
            )
    rng = np.random.default_rng(0)

    def by_draws(replicates: int = 20_000) -> float:
        x = rng.standard_normal((replicates, 50))
        m, s = x.mean(axis=1), x.var(axis=1)
        return float((0.5 * (np.log(s) + (1 + m * m) / s - 1)).mean())

    found = best(by_draws)
    show("normal, 50 draws a replicate by numpy", found, f"{0.02 / found.wall:.2f} million a second")


def wine(draws: int) -> None:
    """Fit the author's model of red wine, 66 statistics, from a sampler."""
    path = file_of("winequality-red.csv", 1599)
    if path is None:
        rng = np.random.default_rng(0)
        x, y = rng.beta(4.0, 6.0, (1599, 11)), rng.integers(1, 7, 1599)
        name = "simulated columns"
    else:
        with path.open(encoding="utf-8", newline="") as stream:
            values = np.array(list(csv.reader(stream, delimiter=";"))[1:], dtype=float)
        x, y, name = values[:, :11] / values[:, :11].max(axis=0), values[:, 11] - 2.0, "red wine"
    print(f"quadratic-exponential model, {name}, p = 66, {draws} draws")
    family = projection.quadratic_exponential(projection.quadratic_reference(x, y), draws=draws)
    data = np.column_stack([x, y])
    fitted = best(lambda: family.mle(family.statistic(data).mean(axis=0)), 1, warm=False)
    gap = family.mean(fitted.value) - family.statistic(data).mean(axis=0)
    decrement = float(gap @ np.linalg.solve(family.cov(fitted.value), gap))
    show("fit", fitted, f"decrement {decrement:.1e}")
    rows = projection.resolve_truth(family, data)
    found = best(
        lambda: family.contractions_with_error(fitted.value, truth_cov=rows.cov, truth_third=rows.third), 1, warm=False
    )
    first, error = found.value.value.t0 / 3198, found.value.error.t0 / 3198
    show(
        "draws and contractions, errors by batches",
        found,
        f"t0/(2n) {first:.6f} +- {error:.6f} (another program: 0.014206)",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", action="store_true", help="the model of red wine too, minutes")
    parser.add_argument("--draws", type=int, default=200_000, help="draws of that model")
    options = parser.parse_args()
    closed()
    enumerated()
    contracted()
    criterion()
    engine()
    if options.slow:
        wine(options.draws)


if __name__ == "__main__":
    main()
