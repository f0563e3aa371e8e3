"""Oracle tables of general divergences, designs, discrimination and optimal binning; `generate` writes them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
from points import DPS, Row, Table, dyadic, edge_pairs, sample, shape, text

from asymptopia.theory.scorecard import (
    reference,
    reference_binning,
    reference_designs,
    reference_discrimination,
    reference_divergence,
)

KINDS = ("kl", "reverse-kl", "jeffreys", "js", "hellinger", "pearson", "neyman", "alpha")
ORDERS = (0.5, 0.0, 1.0, 2.0, -1.0, 1.5, 0.25, 3.0, 0.999999, 2.0**-20, -0.5)
SIZES = (2, 3, 4, 5, 8, 10, 12, 20)


def kinds() -> Iterator[tuple[str, float | None]]:
    """Yield every kind in turn without end, the power family each time with its next order."""
    order = 0
    while True:
        for kind in KINDS:
            yield kind, ORDERS[order % len(ORDERS)] if kind == "alpha" else None
            order += kind == "alpha"


def close(rng: random.Random, bins: int) -> tuple[list[int], list[int]]:
    """Return counts up to 1e12 whose shares differ by about 1e-9."""
    x = sample(rng, shape(rng, bins), 10 ** rng.uniform(11, 12))
    moved = max(1, int(min(x) * 10 ** rng.uniform(-9, -6)))
    return x, [s + moved * (-1) ** k for k, s in enumerate(x)]


def divergences() -> Table:
    """f-divergences with standard error and bias: all kinds, both baselines, 0, 1/2 and 1 added to every count."""
    rng, turn = random.Random(11), kinds()
    rows: list[Row] = []
    cases: list[tuple[list[int], list[Any], str]] = [
        (x, y, "random") for x, y in edge_pairs() if len(x) <= 20 for _ in range(4)
    ]
    while len(cases) < 320:
        bins = rng.choice(SIZES)
        n, m = (10 ** rng.uniform(math.log10(20 * bins), 9) for _ in range(2))
        weights = shape(rng, bins)
        kind = len(cases) % 5
        if kind == 0:
            cases.append((*close(rng, bins), "random"))
        elif kind == 1:
            cases.append((sample(rng, weights, n), dyadic(rng, bins), "fixed"))
        else:
            other = weights if kind == 2 else shape(rng, bins)
            cases.append((sample(rng, weights, n), sample(rng, other, m), "random"))
    for k, (x, y, baseline) in enumerate(cases):
        kind, order = next(turn)
        a = (0.0, 0.5, 1.0)[k % 3]
        p = reference.shares(x, a, dps=3 * DPS)
        q = y if baseline == "fixed" else reference.shares(y, a, dps=3 * DPS)
        m = 1 if baseline == "fixed" else sum(y)
        value, variance, bias, scale = reference_divergence.moments(p, q, sum(x), m, kind, order, a, baseline)
        with mp.workdps(DPS):
            row = [text(value), text(mp.sqrt(variance)), text(bias), text(scale)]
        rows.append([kind, order, x, y, baseline, a, *row])
    names = ["kind", "alpha", "x", "y", "baseline", "smoothing"]
    return [*names, "estimate", "se", "bias", "bias_scale"], rows


def transitions(rng: random.Random, bins: int, stay: float) -> list[list[int]]:
    """Return positive counts of pairs of bins of which about `stay` remain in their bin."""
    weights, size = shape(rng, bins), 10 ** rng.uniform(3, 7)
    total = sum(weights)
    return [
        [
            max(
                1,
                round(
                    size * weights[j] / total * rng.uniform(0.7, 1.3) * (stay if j == k else (1 - stay) / (bins - 1))
                ),
            )
            for k in range(bins)
        ]
        for j in range(bins)
    ]


def designs() -> Table:
    """Divergences with fixed bin sizes and of paired items: standard error, bias and weights of the null law."""
    rng, turn = random.Random(12), kinds()
    rows: list[Row] = []
    tables = [[[90, 12, 1], [10, 80, 15], [2, 8, 85]], [[20, 10], [5, 65]]]
    pairs = [(x, y) for x, y in edge_pairs() if len(x) <= 10]
    while len(rows) < 220:
        kind, order = next(turn) if len(rows) % 3 else ("jeffreys", None)
        if len(rows) % 2:
            bins = rng.choice((2, 3, 4, 5))
            T = tables.pop() if tables else transitions(rng, bins, rng.choice((0.3, 0.8, 0.95)))
            p, q, S = reference_designs.paired_covariance(T)
            value, variance, bias = reference_designs.paired_moments(T, kind, order)
            trace, n_eff = bias, sum(map(sum, T)) / mp.mpf(2)
            # the law with p - q set to 0 takes the second moment, as `paired_null_eigenvalues` does
            with mp.workdps(DPS):
                for j in range(len(p)):
                    for k in range(len(p)):
                        S[j][k] += (p[j] - q[j]) * (p[k] - q[k]) / (2 * n_eff)
                weights = reference_designs.null_weights(p, q, S, n_eff)
            row: Row = ["paired", kind, order, T, None]
        else:
            bins = rng.choice((2, 3, 4, 5, 8))
            if pairs:
                x, y = pairs.pop()
            else:
                n, m = (10 ** rng.uniform(math.log10(20 * bins), 9) for _ in range(2))
                weights_of_bins = shape(rng, bins)
                x, y = sample(rng, weights_of_bins, n), sample(rng, shape(rng, bins), m)
            value, variance, bias, trace = reference_designs.fixed_bins_moments(x, y, kind, order)
            with mp.workdps(DPS):
                n, m = sum(x), sum(y)
                pooled = [mp.mpf(s + t) / (n + m) for s, t in zip(x, y, strict=True)]
                S = reference_designs.fixed_bins_covariance([n * s for s in pooled], [m * s for s in pooled])
                weights = reference_designs.null_weights(pooled, pooled, S, mp.mpf(n) * m / (n + m))
            row = ["fixed-bins", kind, order, x, y]
        with mp.workdps(DPS):
            row += [text(value), text(mp.sqrt(variance)), text(bias), text(trace), [text(w) for w in weights]]
        rows.append(row)
    return ["design", "kind", "alpha", "x", "y", "estimate", "se", "bias", "half_trace", "null_weights"], rows


def _two(rng: random.Random, k: int, *, smallest: float, largest: float, most: int = 20) -> tuple[list[int], list[int]]:
    """Return a pair of positive counts, apart or close."""
    bins = rng.choice([b for b in SIZES if b <= most])
    n, m = (max(20 * bins, 10 ** rng.uniform(smallest, largest)) for _ in range(2))
    weights = shape(rng, bins)
    return sample(rng, weights, n), sample(rng, weights if k % 3 == 0 else shape(rng, bins), m)


def second_order() -> Table:
    """Three cumulants of the second-order law of J, random and known baseline."""
    rng = random.Random(13)
    rows: list[Row] = []
    edges = [(x, y) for x, y in edge_pairs() if len(x) <= 5]
    while len(rows) < 220:
        fixed = len(rows) % 4 == 3
        x, y = edges.pop(0) if edges and not fixed else _two(rng, len(rows), smallest=2, largest=8, most=8)
        q: list[Any] = dyadic(rng, len(x)) if fixed else reference.shares(y, dps=3 * DPS)
        values = reference_divergence.second_order_cumulants(
            reference.shares(x, dps=3 * DPS), q, sum(x), 1 if fixed else sum(y), baseline="fixed" if fixed else "random"
        )
        rows.append([x, q if fixed else y, "fixed" if fixed else "random", *map(text, values)])
    return ["x", "y", "baseline", "k1", "k2", "k3"], rows


def posterior() -> Table:
    """Posterior means of J under independent Dirichlet posteriors."""
    rng = random.Random(14)
    rows: list[Row] = []
    edges = [(x, y) for x, y in edge_pairs() if len(x) <= 20]
    for k in range(220):
        x, y = edges.pop(0) if edges else _two(rng, k, smallest=1.5, largest=9)
        if k % 10 == 9:
            x[0], y[-1] = 0, 0
        a = (0.5, 1.0, 0.25)[k % 3]
        rows.append([x, y, a, text(reference_divergence.posterior_mean(x, y, a))])
    return ["x", "y", "smoothing", "mean"], rows


def discrimination() -> Table:
    """AUC, its variances with and without the factors n/(n - 1), m/(m - 1), and KS, bins by ascending bad share."""
    rng = random.Random(15)
    rows: list[Row] = []
    edges = [(x, y) for x, y in edge_pairs() if 2 < len(x) <= 20][:6]
    while len(rows) < 220:
        x, y = edges.pop(0) if edges else _two(rng, 1, smallest=1.5, largest=9)
        good, bad = reference_discrimination.in_order(x, y)
        if any(good[k] * bad[k + 1] == good[k + 1] * bad[k] for k in range(len(good) - 1)):
            continue
        values = (
            reference_discrimination.auc(good, bad),
            reference_discrimination.delong_variance(good, bad),
            reference_discrimination.plugin_variance(good, bad),
            reference_discrimination.ks(good, bad),
        )
        with mp.workdps(DPS):
            auc, delong, plugin, ks = (reference_discrimination.exact(value) for value in values)
            rows.append(
                [good, bad, text(auc), text(mp.sqrt(delong)), text(mp.sqrt(plugin)), text(2 * auc - 1), text(ks)]
            )
    return ["good", "bad", "auc", "se_delong", "se_plugin", "gini", "ks"], rows


def conditional() -> Table:
    """Conditional IV of the columns of two tables given the rows, its standard error and its null weights."""
    rng = random.Random(16)
    rows: list[Row] = []
    while len(rows) < 210:
        out, columns = rng.choice((2, 3)), rng.choice((2, 3, 4))
        n, m = (10 ** rng.uniform(2.5, 7) for _ in range(2))
        weights = shape(rng, out * columns)
        good = sample(rng, weights, n)
        bad = sample(rng, weights if len(rows) % 2 else shape(rng, out * columns), m)
        tables = [[v[j * columns : (j + 1) * columns] for j in range(out)] for v in (good, bad)]
        value, variance = reference_discrimination.conditional_iv(*tables)
        null = reference_discrimination.conditional_null_weights(*tables)
        with mp.workdps(DPS):
            rows.append([*tables, text(value), text(mp.sqrt(variance)), [text(w) for w in null]])
    return ["good", "bad", "estimate", "se", "null_weights"], rows


def survey() -> Table:
    """J of weighted rows with its standard error, by rows or by clusters that lie within a sample."""
    rng = random.Random(18)
    rows: list[Row] = []
    while len(rows) < 210:
        bins, size = rng.choice((2, 3, 4)), rng.choice((16, 24, 40))
        sample_of = [k % 2 for k in range(size)]
        codes = [rng.randrange(bins) if k >= 2 * bins else k // 2 for k in range(size)]
        weights = [round(math.exp(rng.gauss(0, 0.8)), 3) for _ in range(size)]
        groups = rng.choice((3, 5)) if len(rows) % 2 else 0
        clusters = [2 * (k // 2 % groups) + k % 2 for k in range(size)] if groups else None
        with mp.workdps(3 * DPS):
            shares, parts = [], []
            for side in (0, 1):
                chosen = [k for k in range(size) if sample_of[k] == side]
                total = mp.fsum(mp.mpf(weights[k]) for k in chosen)
                shares.append(
                    [mp.fsum(mp.mpf(weights[k]) for k in chosen if codes[k] == b) / total for b in range(bins)]
                )
                parts.append(chosen)
            slope, _ = reference_divergence.gradient_hessian(*shares, "jeffreys")
        value = reference_divergence.divergence(*shares, "jeffreys")
        variance = mp.mpf(0)
        for side, chosen in enumerate(parts):
            names = [clusters[k] if clusters else k for k in chosen]
            part = reference_designs.survey_variance(
                [codes[k] for k in chosen], [weights[k] for k in chosen], names, slope[side * bins : (side + 1) * bins]
            )
            with mp.workdps(DPS):
                # the factor G/(G - 1) is for clusters alone
                variance += part if clusters else part * (len(chosen) - 1) / len(chosen)
        with mp.workdps(DPS):
            rows.append([codes, sample_of, weights, clusters, text(value), text(mp.sqrt(variance))])
    return ["codes", "sample", "weights", "clusters", "estimate", "se"], rows


def binning() -> Table:
    """Optimal binnings by exhaustive search: value, cuts and the distance to the next best cuts."""
    rng = random.Random(17)
    rows: list[Row] = []
    trends = ("ascending", "descending", "auto", "peak", "valley", None)
    fixed = ([120, 90, 160, 110, 80, 140, 60, 100, 70, 70], [4, 6, 5, 9, 8, 12, 11, 14, 10, 21])
    cases: list[tuple[Any, ...]] = [(*fixed, M, "ascending", "jeffreys", 0.0) for M in (10, 4, 3, 2)]
    cases.append((*fixed, 4, "ascending", "jeffreys", 0.15))
    while len(cases) < 260:
        K = rng.choice((2, 3, 4, 5, 6, 7, 8, 9))
        size = rng.choice((12, 60, 400, 5000))
        slope = rng.uniform(-0.6, 0.6)
        good = [rng.randint(max(1, size // 3), size) for _ in range(K)]
        bad = [max(1, round(x * 0.3 * math.exp(slope * (k - K / 2) + rng.gauss(0, 0.3)))) for k, x in enumerate(good)]
        if len(cases) % 11 == 0 and K > 2:
            # equal event rates next to each other
            good[1], bad[1] = 2 * good[0], 2 * bad[0]
        kind = ("jeffreys", "jeffreys", "jeffreys", "kl", "js", "hellinger")[len(cases) % 6]
        share = (0.0, 0.0, 0.125, 0.25)[len(cases) // 6 % 4]
        cases.append((good, bad, rng.choice((2, 3, 4, 9)), trends[len(cases) % 7 % 6], kind, share))
    for good, bad, most, trend, kind, share in cases:
        value, splits, gap = reference_binning.optimal_binning(good, bad, most, trend, kind, share)
        rows.append([good, bad, most, trend, kind, share, text(value), splits, float(mp.nstr(gap, 6))])
    return ["good", "bad", "max_bins", "trend", "kind", "min_share", "value", "splits", "gap"], rows


GENERAL: dict[str, Callable[[], Table]] = {
    "divergences": divergences,
    "designs": designs,
    "second_order": second_order,
    "posterior": posterior,
    "discrimination": discrimination,
    "conditional": conditional,
    "survey": survey,
    "binning": binning,
}
