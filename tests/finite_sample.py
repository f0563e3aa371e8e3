r"""Exact finite-sample moments of smoothed Information Value and Weight of Evidence, in float64.

Sums over the binomial law of one count and the trinomial law of two replace the expansion in 1/n, so that a Monte
Carlo check compares with the value at its n. Both samples are independent multinomials; `a` > 0 is added to every
count. Counts further than twelve standard deviations and sixty from their mean are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_SIGNS = np.array([1.0, -1.0, -1.0, 1.0])


def exact_smoothed_mean(p: ArrayLike, q: ArrayLike, n: int, m: int, a: float = 0.5) -> float:
    """Return the mean of the smoothed plug-in J.

    Parameters
    ----------
    p, q : array_like
        Shares of the bins in both populations.
    n, m : int
        Sample sizes.
    a : float
        Added to every count, > 0.
    """
    return float(_cell_means(*_arguments(p, q, a), n, m, a).sum())


def exact_smoothed_variance(p: ArrayLike, q: ArrayLike, n: int, m: int, a: float = 0.5) -> float:
    """Return the variance of the smoothed plug-in J; the arguments are those of `exact_smoothed_mean`.

    Time and memory grow with the product of the windows of two counts, about 150 times the larger sample.
    """
    p, q = _arguments(p, q, a)
    means = _cell_means(p, q, n, m, a)
    centre = (p + q) / 2
    total = 0.0
    for i in range(p.size):
        for j in range(i, p.size):
            first = _pair_moments(p, n, a, i, j, centre)
            second = _pair_moments(q, m, a, i, j, centre)[::-1, ::-1]
            moment = _SIGNS @ (first * second) @ _SIGNS
            total += (1 if i == j else 2) * (moment - means[i] * means[j])
    return float(total)


def exact_woe_moments(p_i: float, q_i: float, n: int, m: int, a: float = 0.5, *, bins: int) -> tuple[float, float]:
    r"""Return mean and variance of :math:`\log\frac{x_i + a}{n + aB} - \log\frac{y_i + a}{m + aB}`.

    Parameters
    ----------
    p_i, q_i : float
        Shares of the bin in both populations.
    n, m : int
        Sample sizes.
    a : float
        Added to every count, > 0.
    bins : int
        Number of bins B.
    """
    _arguments([p_i], [q_i], a)
    mean, variance = 0.0, 0.0
    for sign, share, size in ((1.0, p_i, n), (-1.0, q_i, m)):
        counts, law = _binomial(share, 1.0 - share, size)
        logs = np.log((counts + a) / (size + a * bins) / share)
        centre = float(law @ logs)
        mean += sign * (centre + np.log(share))
        variance += float(law @ (logs - centre) ** 2)
    return mean, variance


def exact_woe_covariance(p: ArrayLike, q: ArrayLike, n: int, m: int, i: int, j: int, a: float = 0.5) -> float:
    """Return the covariance of the smoothed Weight of Evidence of the bins i and j; of one bin, its variance."""
    total = 0.0
    for shares, size in zip(_arguments(p, q, a), (n, m), strict=True):
        rows, columns, law = _trinomial(shares, size, i, j)
        left, right = np.log(rows + a), np.log(columns + a)
        left = left - law.sum(axis=1) @ left
        right = right - law.sum(axis=0) @ right
        total += float(left @ law @ right)
    return total


def _arguments(p: ArrayLike, q: ArrayLike, a: float) -> tuple[Array, Array]:
    if not a > 0:
        message = f"a is {a!r}; expected a number > 0, as an empty bin has no finite moment otherwise"
        raise ValueError(message)
    return np.asarray(p, dtype=float), np.asarray(q, dtype=float)


def _cell_means(p: Array, q: Array, n: int, m: int, a: float) -> Array:
    centre = (p + q) / 2
    means = []
    for k in range(p.size):
        first = _factors(p, n, a, k, centre)
        second = _factors(q, m, a, k, centre)[::-1]
        means.append(_SIGNS @ (first * second))
    return np.array(means)


def _functions(counts: Array, size: int, a: float, bins: int, centre: float) -> Array:
    """Return rows ``s log s, s, log s, 1`` of the smoothed share s.

    The share and its logarithm are measured from `centre`, which leaves ``(s - t)(log s - log t)`` as it is and spares
    the cancellation. The second sample's rows are these in reverse order.
    """
    share = (counts + a) / (size + a * bins)
    away, log = share - centre, np.log(share / centre)
    return np.array([away * log, away, log, np.ones_like(share)])


def _factors(shares: Array, size: int, a: float, k: int, centre: Array) -> Array:
    counts, law = _binomial(float(shares[k]), float(np.delete(shares, k).sum()), size)
    result: Array = _functions(counts, size, a, shares.size, float(centre[k])) @ law
    return result


def _pair_moments(shares: Array, size: int, a: float, i: int, j: int, centre: Array) -> Array:
    rows, columns, law = _trinomial(shares, size, i, j)
    left = _functions(rows, size, a, shares.size, float(centre[i]))
    right = _functions(columns, size, a, shares.size, float(centre[j]))
    result: Array = left @ law @ right.T
    return result


def _window(share: float, size: int) -> NDArray[np.int64]:
    reach = 12 * np.sqrt(size * share * (1 - share)) + 60
    return np.arange(max(0, int(size * share - reach)), min(size, int(size * share + reach)) + 1)


def _log_factorials(size: int) -> NDArray[np.longdouble]:
    # the sum reaches 1e6; extended precision keeps its error below that of float64
    steps = np.arange(size + 1, dtype=np.longdouble)
    steps[0] = 1
    return np.cumsum(np.log(steps))


def _binomial(share: float, rest: float, size: int) -> tuple[Array, Array]:
    counts = _window(share, size)
    table = _log_factorials(size)
    logs = table[size] - table[counts] - table[size - counts]
    logs = logs + _powers(counts, share) + _powers(size - counts, rest)
    law = np.exp(logs).astype(float)
    return counts.astype(float), law / law.sum()


def _trinomial(shares: Array, size: int, i: int, j: int) -> tuple[Array, Array, Array]:
    """Return the counts of two bins and their joint law; of one bin, a diagonal law."""
    if i == j:
        counts, law = _binomial(float(shares[i]), float(np.delete(shares, i).sum()), size)
        return counts, counts, np.diag(law)
    rows, columns = _window(float(shares[i]), size), _window(float(shares[j]), size)
    rest = size - rows[:, None] - columns[None, :]
    table = _log_factorials(size)
    left = _powers(rows, float(shares[i])) - table[rows]
    right = _powers(columns, float(shares[j])) - table[columns]
    inside = np.maximum(rest, 0)
    other = float(np.delete(shares, [i, j]).sum())
    logs = table[size] + left[:, None] + right[None, :] - table[inside] + _powers(inside, other)
    law = np.where(rest >= 0, np.exp(logs).astype(float), 0.0)
    return rows.astype(float), columns.astype(float), law / law.sum()


def _powers(counts: NDArray[np.int64], share: float) -> NDArray[np.longdouble]:
    """Return ``counts * log(share)`` with ``0 * log(0) = 0``."""
    if share > 0:
        return counts * np.log(np.longdouble(share))
    return np.where(counts == 0, np.longdouble(0), -np.longdouble(np.inf))
