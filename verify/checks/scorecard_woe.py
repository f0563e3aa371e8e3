"""Cases of the weight of evidence: its variance, its covariance, its contrasts, from either design."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from asymptopia.theory.scorecard.exact import exact_log_count, exact_log_count_covariance
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.verify.checks.scorecard_cases import MILLION, square_target
from asymptopia.verify.engine.check import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class WoeSetting:
    """Two bins of two populations: their shares and the sizes of the samples."""

    p: tuple[float, float]
    q: tuple[float, float]
    n: int
    m: int

    @property
    def name(self) -> str:
        """Name of the case."""
        return f"p={self.p[0]:g},q={self.q[0]:g},n={self.n},m={self.m}"


def woe_case(setting: WoeSetting, fine: float) -> Case:
    """Return the case of two weights of evidence, from two samples."""
    (p0, p1), (q0, q1), n, m = setting.p, setting.q, setting.n, setting.m
    offset = 1 / n + 1 / m
    logit = [1 / (n * s) + 1 / (m * t) for s, t in zip(setting.p, setting.q, strict=True)]
    sizes = ((n, setting.p), (m, setting.q))
    laws = [[exact_log_count(size, share, HALF) for share in pair] for size, pair in sizes]
    means = [laws[0][i][0] - laws[1][i][0] for i in range(2)]
    exact = [laws[0][i][1] + laws[1][i][1] for i in range(2)]
    shared = sum(exact_log_count_covariance(size, *pair, HALF) for size, pair in sizes)
    first = logit[0] - offset
    targets = (
        square_target(
            "variance",
            "first",
            first,
            abs(exact[0] - first),
            fine,
            {"in-bin logit: 1/x + 1/y": logit[0], "only -1/n dropped": first + 1 / n},
        ),
        square_target(
            "covariance",
            "product",
            -offset,
            abs(shared + offset),
            fine,
            {"independent bins": 0.0, "only the larger sample": -1 / n},
            sd=math.sqrt(exact[0] * exact[1]),
        ),
        square_target(
            "contrast",
            "contrast",
            sum(logit),
            abs(exact[0] + exact[1] - 2 * shared - sum(logit)),
            fine,
            {"covariance ignored": sum(logit) - 2 * offset},
        ),
    )
    conditional = (p0, p1 / (1 - p0), q0, q1 / (1 - q0))
    params = (float(n), float(m), HALF, *means, *conditional)
    return Case(name=setting.name, params=params, targets=targets, budget=16 * MILLION)


def woe_fixed_case(sizes: tuple[int, ...], rates: tuple[float, ...], fine: float) -> Case:
    """Return the case of two weights of evidence where the sizes of the bins are fixed by design."""
    size, rate = np.array(sizes, dtype=float), np.array(rates)
    y = size * rate
    x = size - y
    n, m = float(x.sum()), float(y.sum())
    offset = 1 / n + 1 / m
    share = float((x * y / size).sum())
    centre = np.log(x / n) - np.log(y / m)
    first = float(1 / x[0] + 1 / y[0]) - 2 * offset + offset**2 * share
    cross = -2 * offset + offset**2 * share
    # relative size of the next term of a log-count's variance, from the smallest expected count
    next_order = 1.5 / float(min(x[:2].min(), y[:2].min()))
    targets = (
        square_target(
            "variance",
            "first",
            first,
            next_order * first / 2,
            fine,
            {"sizes taken as random": first + offset - offset**2 * share, "in-bin logit": float(1 / x[0] + 1 / y[0])},
        ),
        square_target(
            "covariance",
            "product",
            cross,
            next_order * abs(cross) / 2,
            fine,
            {"sizes taken as random": -offset, "independent bins": 0.0},
            sd=first,
        ),
    )
    cells = [value for pair in zip(sizes, rates, strict=True) for value in pair]
    params = (float(len(sizes)), HALF, float(centre[0]), float(centre[1]), *map(float, cells))
    return Case(name=f"sizes={'/'.join(map(str, sizes))}", params=params, targets=targets, budget=16 * MILLION)
