"""The kernel of the f-divergences: its value is the library's, and its linear term the derivative."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.scorecard.generators import generator_of
from asymptopia.theory.scorecard.shares import Shares
from asymptopia.verify.checks.scorecard_divergence import BIAS, NULL, NUMBERS, VARIANCE, Estimate
from asymptopia.verify.checks.scorecard_divergence_kernels import HEAD, ROW, divergence_cell, divergence_statistics
from asymptopia.verify.checks.scorecard_settings import Setting
from asymptopia.verify.device.binomial import binomial

STREAM = (11, 22, 3, 0, 0)
ITEMS = [
    *(
        Estimate(kind=kind, setting=Setting(bins=4, n=900, m=400, divergence=0.2, skewed=True))
        for kind in NUMBERS
        if kind != "alpha"
    ),
    Estimate(kind="alpha", alpha=-0.5, setting=Setting(bins=5, n=900, m=math.inf, divergence=0.3)),
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_statistics_are_those_of_the_library(item: Estimate) -> None:
    n, m = item.setting.n, item.setting.m
    params = item.params(0.1, 3.0, 0.2)
    left, counts, j = [n, 0 if math.isinf(m) else int(m)], [[], []], 0
    for i in range(item.setting.bins):
        for sample in (0, 1):
            if sample == 0 or not math.isinf(m):
                k, j = binomial(STREAM, j, left[sample], params[HEAD + ROW * i + sample])
                left[sample] -= k
                counts[sample].append(k)
    p, q, _ = truth = item.setting.shares()
    first = np.array(counts[0]) / n
    second = q if math.isinf(m) else np.array(counts[1]) / m
    value = float(item.generator.terms(Shares(first, second, first - second)).sum())
    cells = item.generator.cells(truth)
    linear = float(cells.u @ (first - p) + cells.v @ (second - q))
    residual, square, scaled, reject = divergence_statistics(STREAM, list(params))
    assert residual == pytest.approx(value - float(cells.term.sum()) - linear, abs=1e-14)
    assert square == pytest.approx((value - 0.1) ** 2, rel=1e-11)
    assert scaled == pytest.approx(3 * value, rel=1e-12)
    assert reject == float(3 * value > 0.2)


@pytest.mark.parametrize("kind", NUMBERS)
def test_terms_add_up_to_the_divergence(kind: str) -> None:
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    order = 0.4 if kind == "alpha" else None
    value = sum(divergence_cell(NUMBERS[kind], 0.4, float(s), float(t)) for s, t in zip(p, q, strict=True))
    expected = float(generator_of(kind, order).terms(Shares(p, q, p - q)).sum())
    assert value == pytest.approx(expected, rel=1e-13)


def test_every_kind_has_a_check() -> None:
    assert {item.kind for item in VARIANCE} | {"jeffreys"} == set(NUMBERS)
    assert {item.kind for item in (*BIAS, *NULL)} | {"reverse-kl", "jeffreys"} == set(NUMBERS)
