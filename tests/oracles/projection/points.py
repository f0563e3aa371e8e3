"""Points at which the oracle tables of the information projection are taken, and how their values are written."""

from __future__ import annotations

import random
from typing import Any

import mpmath as mp

DPS = 50
DIGITS = 50
Row = list[Any]
Table = tuple[list[str], list[Row]]
Case = tuple[str, list[Any], dict[str, Any]]


def text(value: Any, digits: int = DIGITS) -> str | None:
    """Return the value with `digits` digits, None as it is."""
    return None if value is None else str(mp.nstr(value, digits, strip_zeros=True))


def exactly(value: Any, digits: int = DIGITS) -> str | None:
    """Return a coefficient with `digits` digits; 0 where its terms cancel but for their rounding."""
    return "0.0" if value is not None and abs(value) < mp.mpf(10) ** -60 else text(value, digits)


def grid(x: float, steps: int = 64) -> float:
    """Return the multiple of 1/steps next to x, at least one step."""
    return max(round(steps * x), 1) / steps


def shares(rng: random.Random, cells: int, unit: int = 64) -> list[float]:
    """Return positive multiples of 1/unit with the sum 1."""
    cuts = sorted(rng.sample(range(1, unit), cells - 1))
    return [(b - a) / unit for a, b in zip([0, *cuts], [*cuts, unit], strict=True)]


def spread(rng: random.Random, d: int) -> tuple[list[float], list[list[float]]]:
    """Return a mean and a covariance, a product of a triangular matrix of multiples of 1/8 with its transpose."""
    mean = [round(rng.gauss(0, 2) * 8) / 8 for _ in range(d)]
    factor = [
        [round(rng.gauss(0, 1) * 8) / 8 if j < i else grid(rng.uniform(0.5, 2), 8) for j in range(i + 1)]
        for i in range(d)
    ]
    cov = [[sum(a * b for a, b in zip(u, v, strict=False)) for v in factor] for u in factor]
    return mean, cov


def unique(cases: list[Any]) -> list[Any]:
    """Return the cases without repetition, in order."""
    return list({repr(case): case for case in cases}.values())


def families() -> list[Case]:
    """Return families with their usual parameters."""
    rng = random.Random(91)
    cases: list[Case] = [("Bernoulli", [], {"p": p}) for p in (0.5, 0.25, 2.0**-20, 1 - 2.0**-20, 1e-9, 0.75, 0.125)]
    cases += [("Bernoulli", [], {"p": grid(rng.random(), 256)}) for _ in range(10)]
    cases += [("Multinomial", [k], {"probs": shares(rng, k)}) for k in (2, 3, 3, 4, 5, 6, 8, 12, 20) for _ in range(2)]
    cases += [("Multinomial", [4], {"probs": [1 - 3 * 2.0**-20, *[2.0**-20] * 3]})]
    cases += [("Poisson", [], {"lam": lam}) for lam in (2.0, 1e-3, 0.1, 0.5, 1.0, 7.5, 30.0, 1e3, 1e6)]
    cases += [("NegativeBinomial", [1.5], {"q": 0.3}), ("NegativeBinomial", [2.0], {"q": 0.4})]
    cases += [("NegativeBinomial", [r], {"q": q}) for r in (0.125, 1.0, 8.0, 300.0) for q in (1e-3, 0.25, 0.875, 0.999)]
    cases += [("Exponential", [], {"rate": rate}) for rate in (1.0, 1e-6, 0.125, 3e5)]
    cases += [
        ("Gamma", [a], {"rate": grid(rng.uniform(0, 4))}) for a in (1e-3, 0.1, 0.5, 1.0, 2.0, 7.25, 100.0, 1e4, 1e6)
    ]
    cases += [("Normal", [], {"mu": m, "sigma2": s}) for m, s in ((0.0, 1.0), (1.5, 0.25), (-30.0, 2.0), (0.25, 1e-4))]
    for d in range(1, 7):
        for k in range(3):
            mean, cov = spread(rng, d)
            if not k:
                mean, cov = [0.0] * d, [[float(i == j) for i in range(d)] for j in range(d)]
            cases.append(("MultivariateNormal", [d], {"mean": mean, "cov": cov}))
            cases.append(("MultivariateNormal", [d, True], {"cov": cov}))
    cases += [("InverseGaussian", [], {"mu": 1.0, "lam": 2.0}), ("InverseGaussian", [], {"mu": 100.0, "lam": 0.5})]
    cases += [
        ("InverseGaussian", [], {"mu": grid(10 ** rng.uniform(-1, 1)), "lam": grid(10 ** rng.uniform(-1, 2))})
        for _ in range(14)
    ]
    shapes = [
        0.5,
        1.0,
        2.0,
        5.0,
        0.001,
        0.003,
        0.01,
        0.03,
        0.1,
        0.3,
        0.7,
        1.4616321449683622,
        3.0,
        4.0,
        8.0,
        12.0,
        16.0,
    ]
    shapes += [
        20.0,
        25.0,
        28.0,
        29.0,
        29.75,
        30.0,
        30.25,
        32.0,
        40.0,
        50.0,
        75.0,
        100.0,
        300.0,
        1e3,
        3e3,
        1e4,
        1e5,
        1e6,
    ]
    cases += [("Gamma", [], {"shape": a, "rate": grid(rng.uniform(0.1, 3))}) for a in shapes]
    pairs = [(1.0, 1.0), (0.5, 0.5), (2.0, 3.0), (1e-3, 1e-3), (1e-3, 1.0), (0.01, 5.0), (1e3, 1e3), (1e3, 0.5)]
    pairs += [(100.0, 1.0), (1e4, 1e4), (1e5, 2e5), (10.375, 9.5), (1928.5, 13.4375)]
    pairs += [(grid(10 ** rng.uniform(-1, 2)), grid(10 ** rng.uniform(-1, 2))) for _ in range(17)]
    cases += [("Beta", [], {"a": a, "b": b}) for a, b in pairs]
    wide = [[2.0, 3.0, 1.0], [0.01, 0.01, 0.01], [1e3, 1e3, 1e3], [0.5, 20.0, 300.0], [1.0] * 4, [1e-3, 1.0, 1e3]]
    wide += [[grid(10 ** rng.uniform(-1, 1.5)) for _ in range(k)] for k in (3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5)]
    cases += [("Dirichlet", [len(a)], {"alpha": a}) for a in wide]
    return unique(cases)


def sizes(rng: random.Random, least: int, count: int) -> list[int]:
    """Return sample sizes from the smallest to 1e8."""
    fixed = [least, least + 1, least + 2, 10**8]
    return sorted({*fixed, *(least + round(10 ** rng.uniform(0, 7)) for _ in range(count - 4))})


GAMMA_POINTS = (
    (2.0, 10),
    (1.0, 4),
    (0.375, 5),
    (0.375, 12),
    (0.0625, 20),
    (0.0625, 300),
    (1.5, 6),
    (1.5, 40),
    (8.0, 4),
    (20.0, 15),
    (20.0, 1000),
    (1000.0, 8),
)
"""Shape, unknown to the model, and n: half a minute of the reference each."""


def exact_points() -> list[tuple[Case, int]]:
    """Return continuous families with sample sizes from the smallest of finite risk."""
    rng = random.Random(92)
    found: list[tuple[Case, int]] = [(("Exponential", [], {"rate": 2.0}), n) for n in (5, *sizes(rng, 2, 14))]
    for a in (0.0625, 0.375, 1.5, 20.0, 1000.0):
        # the smallest n with n a > 1
        least = int(1 / a) + 1
        found += [(("Gamma", [a], {"rate": 0.75}), n) for n in sizes(rng, least, 10)]
    for a, n in GAMMA_POINTS:
        found.append((("Gamma", [], {"shape": a, "rate": 0.75}), n))
    found += [(("Normal", [], {"mu": 0.5, "sigma2": 2.0}), n) for n in (10, *sizes(rng, 4, 18))]
    for d in range(1, 7):
        mean, cov = spread(rng, d)
        case: Case = ("MultivariateNormal", [d], {"mean": mean, "cov": cov})
        found += [(case, n) for n in sizes(rng, d + 3, 10)]
        case = ("MultivariateNormal", [d, True], {"cov": cov})
        found += [(case, n) for n in sizes(rng, d + 2, 8)]
    found.append((("MultivariateNormal", [3], {"mean": [0.0] * 3, "cov": [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]}), 15))
    found.append((("MultivariateNormal", [2, True], {"cov": [[1.0, 0.0], [0.0, 1.0]]}), 10))
    for mu, lam in ((1.0, 2.0), (3.0, 0.5), (0.25, 20.0), (8.0, 0.25)):
        case = ("InverseGaussian", [], {"mu": mu, "lam": lam})
        found += [(case, n) for n in sizes(rng, 4, 10)]
    found.append((("InverseGaussian", [], {"mu": 1.0, "lam": 2.0}), 20))
    return unique(found)
