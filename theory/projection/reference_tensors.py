"""Reference contractions from full tensors by naive loops, and projections by Newton's method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference import Numbers, coefficients, precise
from asymptopia.theory.projection.reference_families import discrete_law, finite

Rows = Sequence[Numbers]


def centred(rows: Rows, weights: Numbers) -> tuple[list[Any], list[list[Any]]]:
    """Return the mean of the rows and the rows less their mean."""
    p = len(rows[0])
    mean = [mp.fsum(w * mp.mpf(row[i]) for row, w in zip(rows, weights, strict=True)) for i in range(p)]
    return mean, [[mp.mpf(row[i]) - mean[i] for i in range(p)] for row in rows]


def moment(rows: Rows, weights: Numbers, *indices: int) -> Any:
    """Return the mean of the product of the coordinates listed."""
    total = mp.mpf(0)
    for row, w in zip(rows, weights, strict=True):
        value = w
        for i in indices:
            value *= row[i]
        total += value
    return total


def shares(rows: Rows, theta: Numbers) -> list[Any]:
    """Return the probabilities of the states of the model."""
    raw = [mp.exp(mp.fsum(t * mp.mpf(x) for t, x in zip(theta, row, strict=True))) for row in rows]
    total = mp.fsum(raw)
    return [value / total for value in raw]


def projection(rows: Rows, mean: Numbers) -> list[Any]:
    """Return the natural parameter of the model on the rows with the given mean, by damped Newton steps.

    Raises
    ------
    ArithmeticError
        If 500 steps do not reach the mean.
    """
    p = len(mean)
    theta = [mp.mpf(0)] * p
    tolerance = mp.mpf(10) ** (-2 * (mp.mp.dps - 10))
    for _ in range(500):
        probs = shares(rows, theta)
        at, spread = centred(rows, probs)
        gap = mp.matrix([m - a for m, a in zip(mean, at, strict=True)])
        cov = mp.matrix([[moment(spread, probs, i, j) for j in range(p)] for i in range(p)])
        step = mp.lu_solve(cov, gap)
        decrement = (gap.T * step)[0]
        length = 1 if decrement < mp.mpf("0.1") else 1 / (1 + mp.sqrt(decrement))
        theta = [t + length * step[i] for i, t in enumerate(theta)]
        if decrement < tolerance:
            return theta
    raise ArithmeticError("no projection")


def tensors(rows: Rows, probs: Numbers) -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
    """Return the inverse covariance and the third and fourth cumulants as functions of their indices."""
    _, spread = centred(rows, probs)
    p = len(rows[0])

    def second(i: int, j: int) -> Any:
        return moment(spread, probs, i, j)

    def third(i: int, j: int, k: int) -> Any:
        return moment(spread, probs, i, j, k)

    def fourth(i: int, j: int, k: int, m: int) -> Any:
        pairs = second(i, j) * second(k, m) + second(i, k) * second(j, m) + second(i, m) * second(j, k)
        return moment(spread, probs, i, j, k, m) - pairs

    inverse = mp.matrix([[second(i, j) for j in range(p)] for i in range(p)]) ** -1
    return inverse, table(third, p, 3), table(fourth, p, 4)


def table(function: Callable[..., Any], p: int, rank: int) -> Callable[..., Any]:
    """Return the function with its values at all indices computed once."""
    values = {index: function(*index) for index in product(range(p), repeat=rank)}
    return lambda *index: values[index]


def indices(p: int, rank: int) -> Iterator[tuple[int, ...]]:
    """Return the indices of a full tensor."""
    return product(range(p), repeat=rank)


@precise
def contractions(statistic: Rows, truth: Numbers) -> dict[str, Any]:
    """Return projection and contractions of a model on finitely many states whose truth is outside it.

    Loops over all indices of the full tensors.
    """
    probs = [mp.mpf(t) for t in truth]
    p = len(statistic[0])
    mean, spread = centred(statistic, probs)
    theta = projection(statistic, mean)
    G, T, Q = tensors(statistic, shares(statistic, theta))
    sigma = mp.matrix([[moment(spread, probs, i, j) for j in range(p)] for i in range(p)])
    kappa = table(lambda i, j, k: moment(spread, probs, i, j, k), p, 3)
    W = G * sigma * G

    def same(i: int, j: int, k: int, a: int, b: int, c: int) -> Any:
        return G[i, a] * G[j, b] * G[k, c]

    found = {"theta_star": theta, "t0": mp.fsum(G[i, j] * sigma[i, j] for i, j in indices(p, 2))}
    found["t1"] = mp.fsum(T(*x[:3]) * kappa(*x[3:]) * same(*x) for x in indices(p, 6))
    found["t21"] = mp.fsum(T(i, k, u) * W[i, k] * T(m, o, v) * W[m, o] * G[u, v] for i, k, u, m, o, v in indices(p, 6))
    found["t22"] = mp.fsum(T(i, k, u) * T(m, o, v) * W[i, m] * W[k, o] * G[u, v] for i, k, u, m, o, v in indices(p, 6))
    found["t31"] = mp.fsum(Q(i, k, m, o) * W[i, k] * W[m, o] for i, k, m, o in indices(p, 4))
    found["F"] = mp.fsum(T(*x[:3]) * T(*x[3:]) * same(*x) for x in indices(p, 6))
    found["B"] = mp.fsum(T(i, j, k) * T(a, b, c) * G[i, j] * G[a, b] * G[k, c] for i, j, k, a, b, c in indices(p, 6))
    found["K"] = mp.fsum(Q(i, k, m, o) * G[i, k] * G[m, o] for i, k, m, o in indices(p, 4))
    law = discrete_law(statistic, probs, 4)
    series = coefficients(finite(statistic), theta, law)
    return found | {name: series[name] for name in ("c1", "c2", "o2", "r2")}
