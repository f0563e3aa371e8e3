"""Replicates of the checks of discrimination, of conditional divergences and of the posterior."""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.gamma import gamma
from asymptopia.verify.device.stream import Stream


def auc_statistics(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return (AUC - centre)^2 over ordered bins of two samples, and DeLong's estimate of the variance from them.

    params: bins, n, m, centre, then two a bin: P(bin | not an earlier one) in both samples.
    """
    bins = int(params[0])
    n = int(params[1])
    m = int(params[2])
    left_x = n
    left_y = m
    j = 0
    below_p = below_q = area = square_p = square_q = 0.0
    for i in range(bins):
        x, j = binomial(stream, j, left_x, params[4 + 2 * i])
        left_x -= x
        y, j = binomial(stream, j, left_y, params[5 + 2 * i])
        left_y -= y
        p = x / n
        q = y / m
        placed_q = below_p + 0.5 * p
        placed_p = 1.0 - below_q - 0.5 * q
        below_p += p
        below_q += q
        area += q * placed_q
        square_q += q * placed_q * placed_q
        square_p += p * placed_p * placed_p
    spread = area - params[3]
    return spread * spread, (square_q - area * area) / (m - 1.0) + (square_p - area * area) / (n - 1.0)


def conditional_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return T = n_e (J of the cells - J of the parents), and whether it exceeds each of two critical values.

    params: parents, children of each, n, m, pseudo-count of a cell, n_e, both critical values, then two a cell:
    P(cell | not an earlier one) in both samples.
    """
    parents = int(params[0])
    children = int(params[1])
    n = int(params[2])
    m = int(params[3])
    a = params[4]
    size_x = n + a * parents * children
    size_y = m + a * parents * children
    left_x = n
    left_y = m
    j = 0
    total = 0.0
    for parent in range(parents):
        p = q = 0.0
        for child in range(children):
            row = 8 + 2 * (parent * children + child)
            x, j = binomial(stream, j, left_x, params[row])
            left_x -= x
            y, j = binomial(stream, j, left_y, params[row + 1])
            left_y -= y
            cell_p = (x + a) / size_x
            cell_q = (y + a) / size_y
            p += cell_p
            q += cell_q
            total += (cell_p - cell_q) * (log(cell_p) - log(cell_q))
        total -= (p - q) * (log(p) - log(q))
    statistic = params[5] * total
    reject = 1.0 if statistic > params[6] else 0.0
    naive = 1.0 if statistic > params[7] else 0.0
    return statistic, reject, naive


def posterior_divergence(stream: Stream, params: list[float]) -> float:
    """Return J of one draw of both shares from their Dirichlet posteriors.

    params: bins, then two a bin: both Dirichlet parameters. With gammas g and h of sums G and H, J is the sum of
    (g/G - h/H) log(g/h), for the constant log(G/H) cancels.
    """
    j = 0
    sum_x = sum_y = log_x = log_y = 0.0
    for i in range(int(params[0])):
        x, j = gamma(stream, j, params[1 + 2 * i])
        y, j = gamma(stream, j, params[2 + 2 * i])
        ratio = log(x) - log(y)
        sum_x += x
        sum_y += y
        log_x += x * ratio
        log_y += y * ratio
    return log_x / sum_x - log_y / sum_y
