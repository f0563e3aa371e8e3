"""Replicates of the checks of f-divergences: two multinomial tables and the estimate, less what theory removes."""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.stream import Stream

# params: bins, n, m (0: the baseline is known), number of the divergence, its order, true value, centre of the square,
# scale of the null law, critical value of the scaled estimate, unused; then six a bin: P(bin | not an earlier one) in
# both samples, both true shares, both entries of the gradient
HEAD = 10
ROW = 6


def divergence_cell(kind: int, order: float, p: float, q: float) -> float:
    """Return one bin's term of the divergence; both shares are positive.

    kind: 0 KL(P, Q), 1 KL(Q, P), 2 Jeffreys, 3 Jensen-Shannon, 4 half squared Hellinger, 5 Pearson, 6 Neyman, else the
    alpha divergence of this order.
    """
    ratio = log(p) - log(q)
    if kind == 0:
        return p * ratio
    if kind == 1:
        return -q * ratio
    if kind == 2:
        return (p - q) * ratio
    if kind == 3:
        mean = log(0.5 * (p + q))
        return 0.5 * (p * (log(p) - mean) + q * (log(q) - mean))
    if kind == 4:
        root = sqrt(p) - sqrt(q)
        return 0.5 * root * root
    if kind == 5:
        return (p - q) * (p - q) / q
    if kind == 6:
        return (p - q) * (p - q) / p
    return (q * exp(order * ratio) - order * p - (1.0 - order) * q) / (order * (order - 1.0))


def divergence_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float]:
    """Return the estimate less its true value and linear term, (estimate - centre)^2, its scaled value and rejection.

    The linear term has mean 0, so the first statistic has the bias as its mean.
    """
    bins = int(params[0])
    n = int(params[1])
    m = int(params[2])
    kind = int(params[3])
    left_x = n
    left_y = m
    j = 0
    total = linear = 0.0
    for i in range(bins):
        row = HEAD + ROW * i
        x, j = binomial(stream, j, left_x, params[row])
        left_x -= x
        p = x / n
        linear += params[row + 4] * (p - params[row + 2])
        q = params[row + 3]
        if m > 0:
            y, j = binomial(stream, j, left_y, params[row + 1])
            left_y -= y
            q = y / m
            linear += params[row + 5] * (q - params[row + 3])
        total += divergence_cell(kind, params[4], p, q)
    spread = total - params[6]
    scaled = params[7] * total
    reject = 1.0 if scaled > params[8] else 0.0
    return total - params[5] - linear, spread * spread, scaled, reject
