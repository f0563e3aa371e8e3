"""Replicates of the checks of the risk that solve for the MLE: gamma, beta and Dirichlet laws, and tables of counts.

Natural statistics are drawn, the likelihood equations solved to rounding, and the divergence of the estimate from the
truth taken less its quadratic and cubic terms, whose means are known.
"""

from __future__ import annotations

from asymptopia.verify.checks.projection_kernels import THIRD, rate_divergence
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import NAN, exp, log
from asymptopia.verify.device.gamma import log_gamma_variate
from asymptopia.verify.device.gamma_function import log_gamma
from asymptopia.verify.device.poisson import table_draw
from asymptopia.verify.device.stream import Stream

NEWTON_STEPS = 60
CONVERGED = 1e-9
"""Newton's method squares the relative step: the next one is rounding."""
SETTLED = 1e-14
"""Step in the frequencies of a table that is as small as their rounding allows to tell."""

SATURATED, PARITY, TOTAL = 0, 1, 2
"""Families of `table_statistics`."""
HEAD = 8
ROW = 4
CELLS = 8
MATRIX = HEAD + ROW * CELLS
"""Where the response of the logarithms of the cells to their frequencies starts in the parameters."""

Three = tuple[float, float, float]
Eight = tuple[float, float, float, float, float, float, float, float]
NO_EIGHT: Eight = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def digammas(x: float) -> tuple[float, float]:
    """Return the first two derivatives of the logarithm of the gamma function, for x > 0."""
    first = second = 0.0
    y = x
    while y < 8.0:
        r = 1.0 / y
        first -= r
        second += r * r
        y += 1.0
    r = 1.0 / y
    z = r * r
    tail = z * (1.0 / 252.0 - z * (1.0 / 240.0 - z * (1.0 / 132.0 - z * (691.0 / 32760.0 - z / 12.0))))
    first += log(y) - r * (0.5 + r * (1.0 / 12.0 - z * (1.0 / 120.0 - tail)))
    rest = z * (1.0 / 30.0 - z * (1.0 / 42.0 - z * (1.0 / 30.0 - z * (5.0 / 66.0 - z * (691.0 / 2730.0)))))
    return first, second + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 - rest)))


def gamma_fit(mean: float, mean_log: float, start: float) -> float:
    """Return the shape of the gamma law with these means of x and log x; nan if the steps do not suffice."""
    gap = log(mean) - mean_log
    a = start
    for _ in range(NEWTON_STEPS):
        first, second = digammas(a)
        # in 1/a the equation is nearly linear
        step = (log(a) - first - gap) / (1.0 - a * second)
        step = max(step, -0.9)
        a /= 1.0 + step
        if abs(step) < CONVERGED:
            return a
    return NAN


def dirichlet_fit(means: Three, k: int, start: Three) -> Three:
    """Return the parameters of the Dirichlet law with these means of log x; nan if the steps do not suffice.

    The information is a diagonal less a constant: a Newton step costs O(k).
    """
    a = start
    for _ in range(NEWTON_STEPS):
        whole_first, whole_second = digammas(a[0] + a[1] + (a[2] if k > 2 else 0.0))
        g = (0.0, 0.0, 0.0)
        q = (1.0, 1.0, 1.0)
        top = below = 0.0
        for i in range(k):
            first, second = digammas(a[i])
            away = means[i] - first + whole_first
            g = (away if i == 0 else g[0], away if i == 1 else g[1], away if i == 2 else g[2])
            q = (second if i == 0 else q[0], second if i == 1 else q[1], second if i == 2 else q[2])
            top += away / second
            below += 1.0 / second
        shared = top / (1.0 / whole_second - below)
        s0 = (g[0] + shared) / q[0]
        s1 = (g[1] + shared) / q[1]
        s2 = (g[2] + shared) / q[2] if k > 2 else 0.0
        # no parameter may lose more than nine tenths of itself
        least = min(s0 / a[0], s1 / a[1], s2 / a[2])
        scale = 1.0 if least > -0.9 else -0.9 / least
        a = (a[0] + scale * s0, a[1] + scale * s1, a[2] + scale * s2)
        if abs(s0) + abs(s1) + abs(s2) < CONVERGED * (a[0] + a[1]):
            return a
    return NAN, NAN, NAN


def fit_statistics(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return the risk and its second coefficient, for laws whose MLE takes Newton's method.

    The second is n**2 times the divergence less its quadratic and cubic terms, twice that at 2n less that at n, plus
    the known mean of the cubic term. params: 1 for a gamma law of scale 1 or the number of parameters of a Dirichlet
    law, n, number of sizes, n**2 times the mean of the cubic term, log partition function; then four triples: the
    parameters, and psi, psi', psi'' of them; then psi, psi' and psi'' of their sum.
    """
    k = int(params[0])
    truth = (params[5], params[6], params[7])
    risk = second = 0.0
    j = 0
    for part in range(int(params[2])):
        size = int(params[1]) * (1 + part)
        s0 = s1 = s2 = mean = 0.0
        for _ in range(size):
            l0 = l1 = l2 = whole = 0.0
            for i in range(k):
                x, j = log_gamma_variate(stream, j, params[5 + i])
                l0 = x if i == 0 else l0
                l1 = x if i == 1 else l1
                l2 = x if i == 2 else l2
                whole += exp(x)
            base = log(whole) if k > 1 else 0.0
            mean += whole
            s0 += l0 - base
            s1 += l1 - base
            s2 += l2 - base
        n = 1.0 * size
        fitted = divergence = quadratic = cubic = 0.0
        if k == 1:
            a = params[5]
            mean /= n
            s0 /= n
            fitted = gamma_fit(mean, s0, a)
            rate = fitted / mean
            # at the truth the rate is 1
            potential = log_gamma(fitted) - fitted * log(rate) - params[4]
            divergence = potential - (fitted - a) * params[8] + (rate - 1.0) * a
            e0 = s0 - params[8]
            e1 = mean - a
            v0 = (a * e0 - e1) / (a * params[11] - 1.0)
            v1 = (params[11] * e1 - e0) / (a * params[11] - 1.0)
            quadratic = 0.5 * (e0 * v0 + e1 * v1)
            cubic = -THIRD * (params[14] * v0 * v0 * v0 + v1 * v1 * (3.0 * v0 + 2.0 * a * v1))
        else:
            means = (s0 / n, s1 / n, s2 / n)
            found = dirichlet_fit(means, k, truth)
            total = top = below = 0.0
            divergence = -params[4]
            for i in range(k):
                total += found[i]
                divergence += log_gamma(found[i]) - (found[i] - truth[i]) * (params[8 + i] - params[17])
                top += (means[i] - params[8 + i] + params[17]) / params[11 + i]
                below += 1.0 / params[11 + i]
            divergence -= log_gamma(total)
            shared = top / (1.0 / params[18] - below)
            moved = 0.0
            for i in range(k):
                away = means[i] - params[8 + i] + params[17]
                v = (away + shared) / params[11 + i]
                moved += v
                quadratic += 0.5 * away * v
                cubic -= THIRD * params[14 + i] * v * v * v
            cubic += THIRD * params[19] * moved * moved * moved
        rest = n * n * (divergence - quadratic - cubic)
        risk = divergence if part == 0 else risk
        second = rest if part == 0 else 2.0 * rest - second
    return risk, second + params[3]


def put_eight(row: Eight, k: int, value: float) -> Eight:
    """Return `row` with entry k replaced."""
    return (
        value if k == 0 else row[0],
        value if k == 1 else row[1],
        value if k == 2 else row[2],
        value if k == 3 else row[3],
        value if k == 4 else row[4],
        value if k == 5 else row[5],
        value if k == 6 else row[6],
        value if k == 7 else row[7],
    )


def parity_shift(row: Eight, params: list[float], cells: int) -> float:
    """Return the t at which the products of the cells ``row + sign t`` of either sign are equal; nan if not found.

    It gives the fitted table without an interaction of all three binary variables, which has all margins of the
    observed one: the MLE of an Ising model of three spins. The signs are the fourth entries of the rows of `params`.
    """
    low = -1.0
    high = 1.0
    for i in range(cells):
        up = params[HEAD + ROW * i + 3] > 0.0
        low = max(low, -row[i]) if up else low
        high = high if up else min(high, row[i])
    t = 0.0 if low < 0.0 < high else 0.5 * (low + high)
    for _ in range(NEWTON_STEPS):
        above = below = 1.0
        slope = 0.0
        for i in range(cells):
            sign = params[HEAD + ROW * i + 3]
            q = row[i] + sign * t
            above *= q if sign > 0.0 else 1.0
            below *= 1.0 if sign > 0.0 else q
            slope += 1.0 / q
        value = log(above / below)
        low = t if value < 0.0 else low
        high = high if value < 0.0 else t
        step = value / slope
        if abs(step) <= SETTLED:
            return t
        t -= step
        # all cells are positive inside the bracket only
        t = t if low < t < high else 0.5 * (low + high)
    return NAN


def table_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float]:
    """Return whether there is no MLE, the risk given that there is one, 0 in its place if not, the second coefficient.

    The last is that of `fit_statistics`, given that there is an MLE; a table without one is drawn again. The third is
    the risk of the first table, 0 if it has no MLE. params: family (free cells, the Ising model of three spins, or a
    total), n, number of sizes, cells, n**2 times the mean of the cubic term, where the tables of a total at n and at 2n
    start, the mean total at n (1 if there is none); then four a cell, eight times: P(cell | not an earlier one),
    weight, slope of the cell in the total over its mean less 1, sign; then the rows of the response (Ising only).
    """
    family = int(params[0])
    cells = int(params[3])
    missing = risk = second = 0.0
    j = 0
    for part in range(int(params[2])):
        size = int(params[1]) * (1 + part)
        n = 1.0 * size
        row = NO_EIGHT
        drawn = False
        while not drawn:
            left = size
            plus = minus = n
            total = 0
            if family == TOTAL:
                total, j = table_draw(stream, j, params, int(params[5 + part]))
            u = total / (params[7] * (1.0 + part)) - 1.0
            for i in range(cells):
                count = total
                if family != TOTAL:
                    count, j = binomial(stream, j, left, params[HEAD + ROW * i])
                    left -= count
                row = put_eight(row, i, params[HEAD + ROW * i + 2] * u if family == TOTAL else count / n)
                if params[HEAD + ROW * i + 3] > 0.0:
                    plus = min(plus, 1.0 * count)
                else:
                    minus = min(minus, 1.0 * count)
            # a free table must have no empty cell, that of the Ising model may have them among the cells of one sign
            drawn = plus + minus > 0.0 if family == PARITY else plus > 0.0
            missing = 1.0 if part == 0 and not drawn else missing
        shift = parity_shift(row, params, cells) if family == PARITY else 0.0
        divergence = taylor = 0.0
        for i in range(cells):
            place = HEAD + ROW * i
            weight = params[place + 1]
            u = row[i]
            v = u
            if family != TOTAL:
                u = (u + params[place + 3] * shift - weight) / weight if family == PARITY else (u - weight) / weight
                v = u
            if family == PARITY:
                v = 0.0
                for k in range(cells):
                    v += params[MATRIX + CELLS * i + k] * (row[k] - params[HEAD + ROW * k + 1])
            divergence += weight * rate_divergence(u)
            taylor += weight * v * v * (0.5 - THIRD * v)
        rest = n * n * (divergence - taylor)
        risk = divergence if part == 0 else risk
        second = rest if part == 0 else 2.0 * rest - second
    return missing, risk, risk * (1.0 - missing), second + params[4]
