r"""Exact risk of the multinomial MLE given that no cell is empty, by dynamic programming over the cells.

Given the size, counts are independent Poisson variables. Sums over all samples then are convolutions of the cells'
probabilities, positive throughout: nothing cancels, as inclusion and exclusion over the sets of empty cells does where
the condition is unlikely. Cells with 60 or more expected observations are all but never empty, and where samples are
much larger than the number of cells they are taken together.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.projection.exact_discrete import Risk, expectation
from asymptopia.theory.projection.stable_risk import log_excess, ratio_excess
from asymptopia.theory.projection.total_laws import binomial, binomial_log_pmf, nodes, poisson_log_pmf

Array = NDArray[np.float64]

SURE = 60.0
"""Expected observations beyond which a cell counts as never empty: the error is exp(-60)."""
_PER_CELL = 200
_MOST_WORK = 2e10
_FLOOR = 1e-32
_BLOCK = 1 << 21


def cell_terms(counts: Array, n: int, p: float) -> Array:
    """Return p f(u), u the relative deviation of counts / n from p; these sum to the divergence over the cells."""
    return np.asarray(p * log_excess((counts - n * p) / (n * p)))


def smoothed_risk(n: int, probs: Array, smoothing: float) -> Risk:
    """Return the risk of the shares (count + c) / (n + k c)."""
    size = n + probs.size * smoothing
    total = 0.0
    for p in probs:
        found = nodes(binomial(n, float(p), _others(probs, p)))
        gap = (found.x - n * p) + smoothing * (1.0 - probs.size * p)
        total += expectation(found, p * ratio_excess(gap / (size * p), (found.x + smoothing) / (size * p)))
    return Risk(total, conditional_risk(n, probs).prob_no_mle)


def conditional_risk(n: int, probs: Array) -> Risk:
    """Return the risk given that no cell is empty; inf where n is below the number of cells."""
    if probs.size == 1:
        return Risk(0.0, 0.0, True)
    if n < probs.size:
        return Risk(math.inf, 1.0)
    sure = n * probs >= SURE if n >= _PER_CELL * probs.size else np.zeros(probs.size, dtype=np.bool_)
    missing = math.fsum(np.exp(n * np.log1p(-probs[sure])))
    if sure.all():
        total = 0.0
        for p in probs:
            found = nodes(binomial(n, float(p), _others(probs, p)), 1.0)
            total += expectation(found, cell_terms(found.x, n, float(p)))
        return Risk(total, missing)
    return _program(n, probs[~sure], probs[sure], missing)


def _program(n: int, rare: Array, sure: Array, missing: float) -> Risk:
    """Return the risk by forward and backward sums over the rare cells."""
    k, rest = rare.size, math.fsum(sure)
    if sure.size:
        expected = n * math.fsum(rare)
        reach = min(n - sure.size, math.ceil(expected + k + 40.0 * math.sqrt(expected + k) + 200.0))
    else:
        reach = n
    tables = [_table(n, float(p), reach) for p in rare]
    work = 3.0 * (reach + 1.0) * sum(table.size for table in tables)
    if work > _MOST_WORK:
        message = (
            f"{probs_text(k)} with n = {n} need {work:.1e} operations; expected at most {_MOST_WORK:.0e}: use the "
            "expansion or simulate"
        )
        raise ValueError(message)
    x = np.arange(reach + 1.0)
    if sure.size:
        logs = poisson_log_pmf(n - x, n * rest)
        end = np.exp(logs - logs.max())
    else:
        end = (x == n).astype(float)
    forward = [np.zeros(reach + 1)]
    forward[0][0] = 1.0
    empty, log_empty, log_full = np.zeros(reach + 1), -math.inf, 0.0
    for table, p in zip(tables, rare, strict=True):
        zero = math.exp(-n * p - table.log_scale)
        # the two sums keep scales of their own: their ratio may be beyond float64
        grown = np.convolve(empty, np.concatenate([[zero], table.weight]))[: reach + 1]
        joined = zero * forward[-1]
        top = max(log_empty, log_full)
        empty = grown * math.exp(log_empty - top) + joined * math.exp(log_full - top)
        empty, log_empty = _scaled(empty, top + table.log_scale)
        full = np.concatenate([[0.0], np.convolve(forward[-1], table.weight)[:reach]])
        full, log_full = _scaled(full, log_full + table.log_scale)
        forward.append(full)
    hit = float(forward[-1] @ end)
    if hit == 0.0:
        message = f"{probs_text(k)} with n = {n}: all cells are observed with a probability below float64; simulate"
        raise ValueError(message)
    odds_logs = math.log(hit) + log_full, _log(float(empty @ end)) + log_empty
    prob = 1.0 / (1.0 + math.exp(min(700.0, odds_logs[0] - odds_logs[1])))
    total, back = 0.0, end
    for i in range(k - 1, -1, -1):
        table = tables[i]
        counts = np.arange(1.0, table.size + 1.0)
        ahead = _behind(back, table.weight)
        terms = _behind(back, table.weight * cell_terms(counts, n, float(rare[i])))
        total += float(forward[i] @ terms) / float(forward[i] @ ahead)
        back = ahead / ahead.max()
    total += _sure_cells(n, sure, rest, forward[-1] * end)
    return Risk(total, prob + (1.0 - prob) * missing)


class _Table:
    """Poisson probabilities of 1, 2, ... observations of a cell, over the largest of them."""

    __slots__ = ("log_scale", "size", "weight")

    def __init__(self, logs: Array) -> None:
        self.log_scale = float(logs.max())
        self.weight: Array = np.exp(logs - self.log_scale)
        self.size = logs.size


def _table(n: int, p: float, reach: int) -> _Table:
    mean = n * p
    most = min(reach, math.ceil(mean + 40.0 * math.sqrt(mean) + 200.0)) if n > 3000 else reach
    return _Table(poisson_log_pmf(np.arange(1.0, most + 1.0), mean))


def _behind(values: Array, weight: Array) -> Array:
    """Return sum_j weight[j - 1] values[x + j]."""
    found = np.convolve(values[::-1], weight)[: values.size - 1][::-1]
    return np.concatenate([found, [0.0]])


def _sure_cells(n: int, sure: Array, rest: float, weight: Array) -> float:
    """Return the terms of the cells that are never empty; `weight` is of the number of observations in the others."""
    kept = np.flatnonzero(weight > _FLOOR * weight.max())
    weight = weight[kept] / weight[kept].sum()
    left = (n - kept).astype(float)
    total = 0.0
    for p in sure:
        if sure.size == 1:
            total += float(weight @ cell_terms(left, n, float(p)))
            continue
        share, other = float(p) / rest, _others(sure, p) / rest
        grid = nodes(binomial(float(left[0]), share, other), 1.0)._replace(log_scale=0.0).x
        step = grid[1] - grid[0]
        low = max(1.0, grid[0] - step * math.ceil((left[0] - left[-1]) / step))
        grid = np.arange(low, grid[-1] + step, step)
        terms = cell_terms(grid, n, float(p))
        rows = max(1, _BLOCK // grid.size)
        for start in range(0, left.size, rows):
            size = left[start : start + rows, None]
            logs = binomial_log_pmf(np.minimum(grid, size), size, share, other)
            with np.errstate(under="ignore"):
                mass = np.where(grid <= size, np.exp(logs - logs.max(axis=1, keepdims=True)), 0.0)
            total += float(weight[start : start + rows] @ ((mass @ terms) / mass.sum(axis=1)))
    return total


def _others(probs: Array, p: float) -> float:
    """Return the sum of the probabilities but one equal to p."""
    return math.fsum([*probs, -float(p)])


def _scaled(values: Array, log_scale: float) -> tuple[Array, float]:
    top = float(values.max())
    return (values / top, log_scale + math.log(top)) if top > 0.0 else (values, log_scale)


def _log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf


def probs_text(cells: int) -> str:
    """Return the words for so many cells."""
    return f"{cells} cells that may be empty"
