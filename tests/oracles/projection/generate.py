"""Write the oracle tables of the information projection beside this file.

    python tests/oracles/projection/generate.py [TABLE ...]

Values come from the mpmath references. Inputs are floats that JSON and float64 hold exactly. The points are drawn from
a seeded generator of the standard library, so that a second run writes the same bytes.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from points import DIGITS, DPS, Row, Table, exact_points, exactly, families, grid, shares, text, unique

from asymptopia.theory.projection import (
    reference_bayes,
    reference_discrete,
    reference_exact,
    reference_families,
    reference_samples,
    reference_tensors,
)

COEFFICIENTS = ("c1", "c2", "c3", "o2", "r2")


def closed_forms() -> Table:
    """Coefficients of risk, optimism and reverse risk, well specified; no third beyond two parameters."""
    rows: list[Row] = []
    for family, structure, parameters in families():
        order = 2 if family == "Dirichlet" else 3
        found = reference_families.closed_form(family, structure, parameters, order)
        rows.append([family, structure, parameters, *(exactly(found.get(name)) for name in COEFFICIENTS)])
    return ["family", "structure", "parameters", *COEFFICIENTS], rows


def exact() -> Table:
    """Risk at finite n of continuous families."""
    rows: list[Row] = []
    for (family, structure, parameters), n in exact_points():
        value = reference_exact.exact(family, structure, parameters, n)
        rows.append([family, structure, parameters, n, text(value)])
    return ["family", "structure", "parameters", "n", "value"], rows


def discrete() -> Table:
    """Risk given that the estimate exists, probability that it does not, risk with 1/2 added to each count."""
    rng = random.Random(93)
    names = ("value", "prob_no_mle", "smooth")
    cases: list[Any] = [("Bernoulli", [], {"p": 0.5}, 10), ("Poisson", [], {"lam": 2.0}, 5)]
    for _ in range(60):
        p = grid(rng.random(), 256)
        cases.append(("Bernoulli", [], {"p": p}, rng.choice((2, 3, 5, 10, 30, 100, 400))))
    for lam in (1e-3, 0.125, 0.5, 1.0, 2.0, 7.5, 40.0):
        cases += [("Poisson", [], {"lam": lam}, n) for n in (1, 2, 5, 20, 100, 400) if n * lam < 3000]
    for size in (0.25, 1.0, 3.5, 20.0):
        cases += [
            ("NegativeBinomial", [size], {"q": q}, n) for q in (0.03125, 0.25, 0.5, 0.875) for n in (1, 4, 25, 150)
        ]
    for k, sizes in ((3, (3, 4, 7, 12, 20, 40)), (4, (4, 5, 8, 15, 25)), (5, (5, 6, 9, 14))):
        for n in sizes:
            cases += [("Multinomial", [k], {"probs": shares(rng, k)}, n) for _ in range(3)]
    rows: list[Row] = []
    for family, structure, parameters, n in unique(cases):
        if family == "Poisson":
            found = reference_discrete.poisson(parameters["lam"], n)
        elif family == "NegativeBinomial":
            found = reference_discrete.negative_binomial(structure[0], parameters["q"], n)
        else:
            probs = parameters["probs"] if "probs" in parameters else [parameters["p"], 1 - parameters["p"]]
            found = reference_discrete.multinomial(probs, n)
        rows.append([family, structure, parameters, n, *(text(found[name]) for name in names)])
    return ["family", "structure", "parameters", "n", *names], rows


def contractions() -> Table:
    """Projection and contractions of models on a few states under a law outside them."""
    rng = random.Random(94)
    names = ("t0", "t1", "t21", "t22", "t31", "F", "B", "K", "c1", "c2", "o2", "r2")
    cases: list[Any] = [([[0, 0], [1, 1], [2, 4], [3, 9]], [0.25, 0.375, 0.125, 0.25])]
    while len(cases) < 210:
        p, states = ((1, 3), (1, 5), (2, 4), (2, 6), (3, 5))[len(cases) % 5]
        statistic = [[rng.randrange(-3, 4) for _ in range(p)] for _ in range(states)]
        if minimal(statistic):
            cases.append((statistic, shares(rng, states)))
    rows: list[Row] = []
    for statistic, probs in unique(cases):
        found = reference_tensors.contractions(statistic, probs)
        theta = [text(t, 30) for t in found["theta_star"]]
        rows.append([statistic, probs, theta, *(exactly(found[name], 30) for name in names)])
    return ["statistic", "probs", "theta_star", *names], rows


def minimal(statistic: list[list[int]]) -> bool:
    """Return whether the differences of the rows span the space, by elimination in fractions."""
    rows = [[Fraction(x - y) for x, y in zip(row, statistic[0], strict=True)] for row in statistic[1:]]
    for j in range(len(statistic[0])):
        # the columns so far have pivots in as many rows
        pivot = next((i for i in range(j, len(rows)) if rows[i][j] != 0), None)
        if pivot is None:
            return False
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(j + 1, len(rows)):
            factor = rows[i][j] / rows[j][j]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
    return True


def points_of(rng: random.Random, family: str, count: int) -> list[list[Any]]:
    """Return distinct points that the family allows."""
    found: list[list[Any]] = []
    while len(found) < count:
        if family == "Poisson":
            row: list[Any] = [rng.randrange(12)]
        elif family == "MultivariateNormal":
            row = [round(rng.gauss(0, 1) * 8) / 8, round(rng.gauss(0, 1) * 8) / 8]
        elif family == "Normal":
            row = [round(rng.gauss(0, 2) * 8) / 8]
        else:
            row = [grid(rng.gammavariate(1.5, 1), 8)]
        if row not in found:
            found.append(row)
    return found


def misspecified() -> Table:
    """Coefficients of models under other laws: gamma, negative binomial, and laws on a few points."""
    rng = random.Random(95)
    cases: list[Any] = [("Normal", [], {"points": [[-1], [0], [2]], "probs": [0.3125, 0.4375, 0.25]})]
    shapes = (1e-3, 0.1, 0.25, 0.5, 1.0, 2.0, 3.5, 8.0, 30.0, 1e3, 1e6)
    cases += [("Exponential", [], {"gamma": [a, rate]}) for a in shapes for rate in (1.0, 0.25)]
    means = (0.125, 1.0, 2.0, 4.0, 25.0, 1e3)
    cases += [("Poisson", [], {"negative_binomial": [m, r]}) for m in means for r in (0.25, 1.0, 4.0, 20.0, 1e4)]
    for family, structure, number in (
        ("Poisson", [], 40),
        ("Normal", [], 40),
        ("Exponential", [], 14),
        ("Gamma", [2.5], 10),
        ("Gamma", [], 14),
        ("InverseGaussian", [], 16),
        ("MultivariateNormal", [2], 14),
    ):
        for _ in range(number):
            count = rng.choice((3, 4, 6)) if family != "MultivariateNormal" else 7
            points = sorted(points_of(rng, family, count))
            cases.append((family, structure, {"points": points, "probs": shares(rng, count)}))
    for k in (1, 2, 2, 3, 3, 3):
        states = [[i >> j & 1 for j in range(k)] for i in range(2**k)]
        cases.append(("LogLinear", [k], {"points": states, "probs": shares(rng, 2**k)}))
    rows: list[Row] = []
    for family, structure, truth in unique(cases):
        found = reference_samples.misspecified(family, structure, truth)
        rows.append([family, structure, truth, *(exactly(found.get(name)) for name in COEFFICIENTS)])
    return ["family", "structure", "truth", *COEFFICIENTS], rows


def bayes() -> Table:
    """Least divergence at a total variation or its complement, its inverse, thresholds: one relation a row."""
    rng = random.Random(96)
    rows: list[Row] = []
    values = [0.0, 0.1, 0.5, 1e-100, 1e-12, 1e-8, 1e-6, 1e-4, 0.01, 0.99, 0.999, 1 - 2.0**-20, 1 - 2.0**-50]
    values += [2.0**-k for k in range(2, 14)] + [rng.random() for _ in range(40)]
    rows += [["min_kl_given_tv", v, text(reference_bayes.min_kl_given_tv(v, dps=digits(v))), None] for v in values]
    tails = [1e-300, 1e-100, 1e-17, 1e-9, 1e-4, 0.001953125, 0.01, 0.1, 0.3, 0.5, 0.9, 1 - 2.0**-40]
    tails += [10 ** rng.uniform(-3, 0) for _ in range(20)]
    rows += [["complement", c, text(reference_bayes.min_kl_given_tv(complement=c)), None] for c in tails]
    kls = [0.02, 1.0, 1e-200, 1e-20, 1e-12, 1e-8, 1e-5, 1e-3, 0.1, 0.5, 2.0, 3.0, 4.0, 5.0, 10.0, 30.0, 44.0, 46.0]
    kls += [100.0, 600.0] + [10 ** rng.uniform(-6, 1) for _ in range(40)]
    for kl in kls:
        found = reference_bayes.max_tv_given_kl(kl, dps=digits(kl))
        rows.append(["max_tv_given_kl", kl, text(found["v"]), text(found["complement"])])
    for alpha in (0.05, 0.25, 0.01, 1e-3, 1e-8, 0.45, 0.49, 0.5 - 2.0**-30, *(rng.uniform(0, 0.5) for _ in range(12))):
        found = reference_bayes.thresholds(alpha)
        rows += [[f"kl_threshold {bound}", alpha, text(value), None] for bound, value in found.items()]
    return ["relation", "x", "value", "complement"], unique(rows)


def digits(x: float) -> int:
    """Return the digits to ask for, more where the divergence is a small difference."""
    return DPS - (math.frexp(x)[1] // 2 if 0 < x < 1e-6 else 0)


def prior() -> Table:
    """Least divergence at a Bayes error and a prior, and least Bayes error at a divergence."""
    rng = random.Random(97)
    rows: list[Row] = []
    priors = [0.3, 0.7, 0.5, 0.125, 0.875, 0.01, 0.99, 1e-3, 0.4921875, 1e-6]
    points = [
        (pi, share * min(pi, 1 - pi)) for pi in priors for share in (1.0, 0.999, 0.75, 0.5, 0.25, 0.1, 0.01, 1e-4)
    ]
    points += [(pi, share * min(pi, 1 - pi)) for pi in priors for share in (1e-8, 1e-30)]
    for pi, e in [*points, (0.3, 0.2), (0.7, 0.2)]:
        rows.append(["min_kl", pi, e, text(reference_bayes.min_kl_given_bayes_error(e, pi))])
    for pi in priors:
        kls = [1e-12, 1e-6, 1e-3, 0.02, 0.2, 1.0, 2.0, 4.0, 8.0, 16.0, 10 ** rng.uniform(-3, 1)]
        rows += [["min_error", pi, kl, text(reference_bayes.min_bayes_error(kl, pi))] for kl in kls]
    return ["relation", "prior", "x", "value"], unique(rows)


def samples(seed: int, count: int) -> list[tuple[str, list[Any], list[list[Any]]]]:
    """Return families with small data sets to which their estimate exists, one row an observation."""
    rng = random.Random(seed)
    found: list[tuple[str, list[Any], list[list[Any]]]] = []
    kinds = ("Normal", "Exponential", "Poisson", "Gamma", "Normal", "InverseGaussian", "LogLinear", "FiniteSupport")
    kinds = (*kinds, "Bernoulli", "MultivariateNormal", "Gamma")
    while len(found) < count:
        family, n = kinds[len(found) % len(kinds)], rng.choice((6, 10, 16, 25))
        structure: list[Any] = []
        if family in ("LogLinear", "Bernoulli"):
            d = 2 if family == "LogLinear" else 1
            structure = [d] if d > 1 else []
            data: list[list[Any]] = [[int(rng.random() < 0.4) for _ in range(d)] for _ in range(n)]
            if any(len(set(column)) < 2 for column in zip(*data, strict=True)):
                continue
        elif family == "FiniteSupport":
            statistic = [[rng.randrange(-3, 4) for _ in range(2)] for _ in range(4)]
            data = [[state] for state in (*range(4), *(rng.randrange(4) for _ in range(n - 4)))]
            if not minimal(statistic):
                continue
            structure = [statistic]
        elif family == "Poisson":
            data = [[round(rng.gammavariate(1.5, 2))] for _ in range(n)]
            if not any(row[0] for row in data):
                continue
        elif family in ("Normal", "MultivariateNormal"):
            d = 1 if family == "Normal" else 2
            structure = [d] if d > 1 else []
            data = [[round(rng.gauss(0, 1) * 64) / 64 for _ in range(d)] for _ in range(n)]
        else:
            structure = [2.5] if family == "Gamma" and len(found) % len(kinds) == 3 else []
            data = [[grid(rng.gammavariate(2.0, 1))] for _ in range(n)]
        found.append((family, structure, data))
    return found


def criterion() -> Table:
    """Terms of the estimated risk of small data sets, threshold, verdict and required size."""
    names = ("t0", "first", "plain", "second")
    rows: list[Row] = []
    for k, (family, structure, data) in enumerate(samples(98, 209)):
        alpha, bound = (0.05, 0.1, 0.2, 0.3, 0.4)[k % 5], ("sharp", "pinsker", "local")[k % 3]
        found = reference_samples.criterion(family, structure, data, alpha)
        verdict = [found[f"{bound} {name}"] for name in ("threshold", "passed", "required_n")]
        values = [text(found[name], 30) for name in names]
        rows.append([family, structure, data, alpha, bound, *values, text(verdict[0], 30), *verdict[1:]])
    return ["family", "structure", "data", "alpha", "bound", *names, "threshold", "passed", "required_n"], rows


def information() -> Table:
    """Optimism of small data sets, misspecified, with the maximum of their log likelihood."""
    names = ("optimism", "optimism_plain", "optimism_second")
    rows: list[Row] = []
    for family, structure, data in samples(99, 209):
        found = reference_samples.criterion(family, structure, data, 0.25)
        loglik = reference_samples.log_likelihood(family, structure, data)
        rows.append([family, structure, data, *(text(found[name], 30) for name in names), text(loglik, 30)])
    return ["family", "structure", "data", *names, "loglik"], rows


TABLES: dict[str, Callable[[], Table]] = {
    "closed_forms": closed_forms,
    "exact": exact,
    "discrete": discrete,
    "contractions": contractions,
    "misspecified": misspecified,
    "bayes": bayes,
    "prior": prior,
    "criterion": criterion,
    "information": information,
}


def main(names: list[str]) -> None:
    """Write the named tables, or all."""
    for name in names or TABLES:
        make = TABLES[name]
        columns, rows = make()
        generator = "tests/oracles/projection/generate.py"
        head = {"about": make.__doc__, "generator": generator, "precision": DPS, "digits": DIGITS}
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        start = json.dumps({**head, "columns": columns})[:-1]
        path = Path(__file__).with_name(f"{name}.json")
        path.write_text(f'{start}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
