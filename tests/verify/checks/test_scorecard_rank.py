"""The kernels of discrimination, conditional divergences and the posterior give the statistics of the library."""

from __future__ import annotations

import numpy as np
import pytest

from asymptopia.theory.scorecard.conditional import conditional_iv
from asymptopia.theory.scorecard.roc import discrimination
from asymptopia.verify.checks import scorecard_rank_kernels as kernels
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.gamma import gamma
from asymptopia.verify.engine.conditional import conditional_probabilities

STREAM = (5, 6, 7, 0, 0)
P = np.array([0.15, 0.1, 0.15, 0.2, 0.1, 0.3])
Q = np.array([0.3, 0.1, 0.2, 0.1, 0.2, 0.1])
SIZES = (600, 300)
ROWS = [float(v) for row in zip(conditional_probabilities(P), conditional_probabilities(Q), strict=True) for v in row]


def tables() -> tuple[np.ndarray, np.ndarray]:
    left, counts, j = list(SIZES), [[], []], 0
    for i in range(P.size):
        for sample in (0, 1):
            k, j = binomial(STREAM, j, left[sample], ROWS[2 * i + sample])
            left[sample] -= k
            counts[sample].append(k)
    return np.array(counts[0]), np.array(counts[1])


def test_area() -> None:
    x, y = tables()
    found = discrimination(x, y, order="given")
    square, estimate = kernels.auc_statistics(STREAM, [6.0, 600.0, 300.0, 0.4, *ROWS])
    assert square == pytest.approx((found.auc - 0.4) ** 2, rel=1e-11)
    assert estimate == pytest.approx(found.auc_se**2, rel=1e-11)


def test_conditional() -> None:
    x, y = tables()
    table = np.stack([x.reshape(2, 3), y.reshape(2, 3)], axis=-1)
    found = conditional_iv(table, smoothing=0.5)
    params = [2.0, 3.0, 600.0, 300.0, 0.5, 200.0, 9.0, 30.0, *ROWS]
    statistic, reject, naive = kernels.conditional_statistics(STREAM, params)
    assert statistic == pytest.approx(found.statistic, rel=1e-10)
    assert (reject, naive) == (float(statistic > 9), float(statistic > 30))


def test_posterior() -> None:
    al, be = [3.5, 10.5, 6.5], [4.5, 0.5, 8.5]
    draws, j = [[], []], 0
    for pair in zip(al, be, strict=True):
        for sample, shape in enumerate(pair):
            g, j = gamma(STREAM, j, shape)
            draws[sample].append(g)
    p, q = (np.array(values) / sum(values) for values in draws)
    value = kernels.posterior_divergence(STREAM, [3.0, *(v for pair in zip(al, be, strict=True) for v in pair)])
    assert value == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=1e-11)
