"""Write the oracle tables of the scorecard beside this file.

    python tests/oracles/scorecard/generate.py [TABLE ...]

Values come from the mpmath reference with 50 digits and are written with 30. Inputs are integers and floats that JSON
and float64 hold exactly. The points are drawn from a seeded generator of the standard library, so that a second run
writes the same bytes.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
from general_tables import GENERAL
from points import BINS, DIGITS, DPS, Row, dyadic, pairs, sample, shape, text

from asymptopia.theory.scorecard import reference, reference_laws


def iv_moments() -> tuple[list[str], list[Row]]:
    """J, standard error and bias of two random samples, with 0, 1/2 and 1 added to every count."""
    rng = random.Random(1)
    rows: list[Row] = []
    smoothings = (0.0, 0.5, 1.0)
    cases = [
        (x, y, a)
        for k, (x, y) in enumerate(pairs(rng, 260))
        for a in (smoothings if k < 12 else smoothings[k % 3 : k % 3 + 1])
    ]
    for k in range(30):
        bins = rng.choice(BINS[:-1])
        x, y = (sample(rng, shape(rng, bins), 10 ** rng.uniform(2, 6)) for _ in range(2))
        x[rng.randrange(bins)] = 0
        if k % 2:
            y[bins - 1] = 0
            x[bins - 1] = max(1, x[bins - 1])
        cases.append((x, y, 0.5 if k % 3 else 1.0))
    for x, y, a in cases:
        p, q, n, m = reference.shares(x, a), reference.shares(y, a), sum(x), sum(y)
        J = reference.jeffreys(p, q)
        se = mp.sqrt(reference.delta_variance(p, q, n, m))
        bias = reference.bias(p, q, n, m, a)
        plain = reference.bias(p, q, n, m, 0)
        # what cancels in the bias: its curvature and its smoothing part
        rows.append([x, y, a, text(J), text(se), text(bias), text(abs(plain) + abs(bias - plain))])
    return ["x", "y", "smoothing", "estimate", "se", "bias", "bias_scale"], rows


def psi_fixed() -> tuple[list[str], list[Row]]:
    """J, standard error and bias against known shares."""
    rng = random.Random(2)
    rows: list[Row] = []
    for k in range(220):
        bins = rng.choice(BINS)
        q = dyadic(rng, bins)
        size = 10 ** rng.uniform(math.log10(20 * bins), 12)
        x = sample(rng, q if k % 2 else shape(rng, bins), size)
        a = (0.0, 0.5, 1.0)[k % 3]
        p, n = reference.shares(x, a), sum(x)
        se = mp.sqrt(reference.delta_variance(p, q, n, 1, "fixed"))
        bias = reference.bias(p, q, n, 1, a, "fixed")
        plain = reference.bias(p, q, n, 1, 0, "fixed")
        scale = abs(plain) + abs(bias - plain)
        rows.append([x, q, a, text(reference.jeffreys(p, q)), text(se), text(bias), text(scale)])
    return ["x", "q", "smoothing", "estimate", "se", "bias", "bias_scale"], rows


def woe() -> tuple[list[str], list[Row]]:
    """Weight of Evidence, its standard errors, the covariance of the first two bins, the variance of their contrast."""
    rows: list[Row] = []
    for x, y in pairs(random.Random(3), 220, most=20):
        C = reference.woe_covariance(x, y)
        S = reference.woe_covariance_fixed_sizes(x, y)
        with mp.workdps(DPS):
            errors = [text(mp.sqrt(C[k][k])) for k in range(min(len(x), 5))]
            contrast = text(C[0][0] + C[1][1] - 2 * C[0][1])
        values = [text(value) for value in reference.woe(x, y)[:5]]
        rows.append([x, y, values, errors, text(C[0][1]), contrast, text(S[0][0]), text(S[0][1])])
    names = ["x", "y", "woe", "woe_se", "cov01", "contrast", "fixed_size_var0", "fixed_size_cov01"]
    return names, rows


def snc_interval() -> tuple[list[str], list[Row]]:
    """Scaled noncentral chi-square intervals with a random and with a known baseline."""
    rng = random.Random(4)
    rows: list[Row] = []
    levels = (0.9, 0.95, 0.99)
    cases: list[tuple[list[int], list[Any], str]] = [
        (x, y, "random") for x, y in pairs(rng, 150, largest=5.0) if _reach(x, y) < 4000
    ]
    while len(cases) < 170:
        bins = rng.choice(BINS[:-1])
        x, y = (sample(rng, shape(rng, bins), 10 ** rng.uniform(1.5, 3)) for _ in range(2))
        (x if len(cases) % 2 else y)[0] = 0
        cases.append((x, y, "random"))
    while len(cases) < 250:
        bins = rng.choice(BINS)
        q = dyadic(rng, bins)
        x = sample(rng, q if len(cases) % 3 else shape(rng, bins), 10 ** rng.uniform(math.log10(20 * bins), 4))
        if _reach(x, None, q) < 4000:
            cases.append((x, q, "fixed"))
    for k, (x, y, baseline) in enumerate(cases):
        level = levels[k % 3]
        parts = reference_laws.snc(x, y, level, baseline)
        names = ("estimate", "se", "bias", "rho", "nu", "x", "low", "high")
        rows.append([x, y, baseline, level, *(text(parts[name]) for name in names)])
    return ["x", "y", "baseline", "level", "estimate", "se", "bias", "rho", "nu", "statistic", "low", "high"], rows


def _reach(x: list[int], y: list[int] | None, q: list[float] | None = None) -> float:
    """Return n_e J, which bounds the work of a reference interval."""
    p = reference.shares(x, 0.5, dps=15)
    if y is None:
        return float(sum(x) * reference.jeffreys(p, q, dps=15))
    n, m = sum(x), sum(y)
    return float(mp.mpf(n) * m / (n + m) * reference.jeffreys(p, reference.shares(y, 0.5, dps=15), dps=15))


def chi2_logsf() -> tuple[list[str], list[Row]]:
    """Logarithms of chi-square p-values."""
    rng = random.Random(5)
    rows: list[Row] = []
    points = [(t, k) for k in (1, 2, 3, 4, 9, 19, 49, 99) for t in (0.0, 2.0**-40, 0.5, 1.0, k + 0.5, 100.0, 1e4, 1e6)]
    while len(points) < 240:
        points.append((10 ** rng.uniform(-6, 6), rng.choice((1, 2, 3, 4, 7, 9, 11, 19, 49))))
    for t, k in points:
        rows.append([t, k, text(reference_laws.chi2_log_sf(t, k))])
    return ["t", "dof", "log_sf"], rows


def noncentral_chi2() -> tuple[list[str], list[Row]]:
    """Noncentral chi-square cdf and sf and their logarithms, tails included."""
    rng = random.Random(6)
    rows: list[Row] = []
    points: list[tuple[float, float, float]] = [
        (x, k, lam)
        for k in (0.5, 1.0, 9.0)
        for lam in (0.0, 2.0**-30, 1.0, 100.0)
        for x in (2.0**-20, 1.0, 50.0, 400.0)
    ]
    while len(points) < 240:
        k = rng.choice((0.5, 1.0, 2.0, 2.21875, 4.0, 9.0, 19.0, 49.0))
        lam = round(10 ** rng.uniform(-3, 3.6), 3)
        spread = math.sqrt(2 * (k + 2 * lam))
        x = k + lam + spread * rng.choice((rng.uniform(-4, 4), rng.uniform(4, 40)))
        points.append((round(x if x > 0 else (k + lam) * rng.uniform(0.01, 0.5), 3), k, lam))
    # beyond the smallest float64
    while len(points) < 280:
        k, lam = rng.choice((0.5, 1.0, 4.0, 9.0, 49.0)), round(10 ** rng.uniform(0, 3.6), 3)
        far = k + lam + math.sqrt(2 * (k + 2 * lam)) * rng.uniform(100, 400)
        points.append((round(far, 3) if len(points) % 2 else round(0.01 + lam / 2**10, 6), k, lam))
    for x, k, lam in points:
        below, above = reference_laws.ncx2_cdf(x, k, lam), reference_laws.ncx2_sf(x, k, lam)
        with mp.workdps(DPS):
            # the logarithm of a number near 1 from its complement
            log_below = mp.log1p(-above) if below > 0.5 else mp.log(below)
            log_above = mp.log1p(-below) if above > 0.5 else mp.log(above)
        rows.append([x, k, lam, text(below), text(above), text(log_below), text(log_above)])
    return ["x", "dof", "noncentrality", "cdf", "sf", "log_cdf", "log_sf"], rows


def design() -> tuple[list[str], list[Row]]:
    """Critical value, power, required effective size and false alarm rate of the test of no shift."""
    rng = random.Random(7)
    rows: list[Row] = []
    for k in range(210):
        bins = rng.choice(BINS)
        n, m = (round(10 ** rng.uniform(1.5, 6)) for _ in range(2))
        alpha = rng.choice((0.01, 0.05, 0.1, 2.0**-20))
        wanted = rng.choice((0.5, 0.8, 0.9, 0.99))
        effective = n * m / (n + m)
        psi = round(rng.uniform(0.2, 60.0) / effective, 9) + 1e-9
        threshold = (0.1, 0.25, 0.02, round(rng.uniform(1, 40) / effective, 9) + 1e-9)[k % 4]
        noncentrality = reference_laws.required_noncentrality(bins, alpha, wanted)
        with mp.workdps(DPS):
            size = noncentrality / mp.mpf(psi)
        values = (
            reference_laws.critical_value(n, m, bins, alpha),
            reference_laws.power(n, m, bins, psi, alpha),
            size,
            reference_laws.false_alarm(threshold, n, m, bins),
        )
        rows.append([n, m, bins, alpha, psi, wanted, threshold, *map(text, values)])
    names = ["n", "m", "bins", "alpha", "psi", "power", "threshold"]
    return [*names, "critical_value", "test_power", "n_eff", "false_alarm"], rows


def weighted_chi2() -> tuple[list[str], list[Row]]:
    """Tails of weighted sums of chi-squares with one degree of freedom each."""
    rng = random.Random(8)
    rows: list[Row] = [[[3.0, 2.0, 1.0, 0.5], 10.0, text(reference_laws.weighted_chi2_sf([3, 2, 1, 0.5], 10))]]
    while len(rows) < 210:
        weights = [round(10 ** rng.uniform(-2, 1), 4) for _ in range(rng.choice((1, 2, 3, 4, 9, 19)))]
        mean, spread = sum(weights), math.sqrt(2 * sum(w * w for w in weights))
        x = mean + spread * rng.uniform(0, 25) if len(rows) % 3 else mean * rng.uniform(0.05, 1)
        rows.append([weights, round(x, 3) + 2.0**-10, ""])
        rows[-1][2] = text(reference_laws.weighted_chi2_sf(*rows[-1][:2]))
    return ["weights", "x", "sf"], rows


TABLES: dict[str, Callable[[], tuple[list[str], list[Row]]]] = {
    "iv_moments": iv_moments,
    "psi_fixed": psi_fixed,
    "woe": woe,
    "snc_interval": snc_interval,
    "chi2_logsf": chi2_logsf,
    "noncentral_chi2": noncentral_chi2,
    "design": design,
    "weighted_chi2": weighted_chi2,
    **GENERAL,
}


def main(names: list[str]) -> None:
    """Write the named tables, or all."""
    for name in names or TABLES:
        make = TABLES[name]
        columns, rows = make()
        head = {"about": make.__doc__, "generator": "tests/oracles/scorecard/generate.py", "precision": DPS}
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        start = json.dumps({**head, "digits": DIGITS, "columns": columns})[:-1]
        path = Path(__file__).with_name(f"{name}.json")
        path.write_text(f'{start}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
