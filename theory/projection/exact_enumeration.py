r"""Exact risks by enumeration of all samples from a law on finitely many points."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.units import load_unit
from asymptopia.theory.projection.enumeration_source import SOURCE
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.exact_discrete import Risk
from asymptopia.theory.projection.stable_risk import exp_excess
from asymptopia.theory.projection.total_laws import poisson_log_pmf

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_NORMAL = 200_000_000
"""Samples that the compiled sum over the normal estimate visits at most."""
MOST_FINITE = 2_000_000
"""Samples up to which estimates are solved for."""
MOST_ONE_BY_ONE = 20_000
"""Samples up to which a family's own estimate is called for each."""
_BLOCK = 50_000
_CELLS = 1 << 19
"""Rows times scores that are held at a time."""
_KEY_BITS = 62.0
_STEPS = 100
_SINGULAR = -200.0
"""Log determinant of the information, 0 at the projection, below which steps are left to the family."""
_DAMPED = 0.3
_CONVERGED = 1e-9
_OFF = 1e-5


def compositions_count(n: int, cells: int) -> int:
    """Return the number of samples of size n on so many points."""
    return math.comb(n + cells - 1, cells - 1)


def check_count(n: int, cells: int, most: int) -> None:
    """Raise ValueError where there are more than `most` samples."""
    count = compositions_count(n, cells)
    if count > most:
        message = (
            f"a law on {cells} points has {count} samples of size n = {n}; expected at most {most}: use a smaller n, "
            "the expansion, or simulate"
        )
        raise ValueError(message)


def normal_enumeration(n: int, values: Array, probs: Array) -> Risk:
    """Return the risk of the normal MLE given that the sample has two different values.

    Parameters
    ----------
    n : int
        Sample size, >= 1.
    values, probs : ndarray, shape (k,)
        Different points and their probabilities > 0, k >= 2.
    """
    check_count(n, values.size, MOST_NORMAL)
    probs = probs / math.fsum(probs)
    centred = values - math.fsum(probs * values)
    centred = centred - math.fsum(probs * centred)
    sd = math.sqrt(math.fsum(probs * centred**2))
    # the inner loop runs over the two points with the most observations
    order = np.argsort(probs, kind="stable")
    values, y, probs = values[order], centred[order] / sd, np.ascontiguousarray(probs[order])
    # of the values as given: near points keep their distance
    apart = ((values[:, None] - values) / sd) ** 2
    logs = poisson_log_pmf(np.arange(n + 1.0), n * probs[:, None])
    with np.errstate(under="ignore"):
        mass = np.ascontiguousarray(np.exp(logs - logs.max(axis=1, keepdims=True)))
    unit = load_unit("projection_enumeration", SOURCE)
    risk, there, none = unit.normal(n, probs, y, apart, mass)
    return Risk(risk / there if there > 0.0 else math.inf, none / (none + there))


def compositions(n: int, cells: int) -> Iterator[Counts]:
    """Yield all samples of size n as rows of counts, in blocks."""
    if cells == 1:
        yield np.array([[n]])
        return
    if compositions_count(n, cells) <= _BLOCK or n == 0:
        found, left = np.zeros((1, 0), dtype=np.int64), np.array([n], dtype=np.int64)
        for _ in range(cells - 1):
            repeat = np.repeat(np.arange(left.size), left + 1)
            start = np.repeat(np.cumsum(left + 1) - (left + 1), left + 1)
            count = np.arange(repeat.size) - start
            found = np.column_stack([found[repeat], count])
            left = left[repeat] - count
        yield np.column_stack([found, left])
        return
    for first in range(n + 1):
        for rest in compositions(n - first, cells - 1):
            yield np.column_stack([np.full(rest.shape[0], first, dtype=np.int64), rest])


def sample_weights(counts: Counts, n: int, probs: Array) -> Array:
    """Return the probabilities of the samples, all over one factor."""
    logs = poisson_log_pmf(np.arange(n + 1.0), n * probs[:, None])
    logs = logs - logs.max(axis=1, keepdims=True)
    with np.errstate(under="ignore"):
        total = np.zeros(counts.shape[0])
        for i in range(probs.size):
            total += logs[i, counts[:, i]]
        return np.exp(total)


class FiniteModel(NamedTuple):
    """A finite family at the projection, in coordinates in which its statistic has mean 0 and covariance 1 there."""

    scores: Array
    """Statistic of the states, (N, p)."""
    probs: Array
    """Their probabilities, (N,)."""
    statistic: Array
    """The statistic as the family has it, for hulls and for equal sums."""
    change: Array
    """Statistics less their mean, times this (p, p), are scores."""
    single: Callable[[Array], float]
    """Divergence to the estimate of one mean of the scores, for estimates so far out that Newton steps break down."""


def finite_enumeration(n: int, model: FiniteModel, truth: Array, smoothing: float | None = None) -> Risk:
    """Return the risk of a finite family given that the MLE exists, or of shares with pseudo-counts of each state.

    Parameters
    ----------
    n : int
        Sample size.
    model : FiniteModel
        The family at the projection of the truth.
    truth : ndarray, shape (N,)
        Probabilities of the states.
    smoothing : float, optional
        Added to the count of each state.
    """
    held = np.flatnonzero(truth > 0.0)
    check_count(n, held.size, MOST_FINITE)
    faces, sums = _Faces(model.statistic, held), _Sums(n, model, truth, smoothing)
    there, none = [], []
    for counts in compositions(n, held.size):
        weight = sample_weights(counts, n, truth[held])
        exists = faces.exist(counts)
        none.append(float(weight[~exists].sum()))
        there.append(float(weight[exists].sum()))
        kept = weight > 0.0 if smoothing is not None else exists & (weight > 0.0)
        sums.add(counts[kept], weight[kept], held)
    total = math.fsum(there)
    everything = total + math.fsum(none)
    base = total if smoothing is None else everything
    value = sums.risk() / base if base > 0.0 else math.inf
    return Risk(value, math.fsum(none) / everything, all(faces.known.values()))


class _Sums:
    """Sums of weights times divergences; samples of one sum of a whole-numbered statistic are taken together."""

    def __init__(self, n: int, model: FiniteModel, truth: Array, smoothing: float | None) -> None:
        self.n, self.model, self.truth = n, model, truth
        self.smoothing = 0.0 if smoothing is None else smoothing
        self.parts: list[float] = []
        self.keys: list[Counts] = []
        self.weights: list[Array] = []
        whole = np.array_equal(model.statistic, np.round(model.statistic))
        self.low = model.statistic.min(axis=0)
        spans = n * (model.statistic.max(axis=0) - self.low) + 1.0
        self.merge = whole and float(np.log2(spans).sum()) < _KEY_BITS
        self.spans = [int(span) for span in spans] if self.merge else []

    def add(self, counts: Counts, weight: Array, held: NDArray[np.int64]) -> None:
        """Take in samples with their weights."""
        if not self.merge:
            centred = counts - self.n * self.truth[held]
            self._solve(centred @ self.model.scores[held], weight)
            return
        columns = counts @ (self.model.statistic[held] - self.low).astype(np.int64)
        key = np.zeros(counts.shape[0], dtype=np.int64)
        for column, span in zip(columns.T, self.spans, strict=True):
            key = key * span + column
        self.keys.append(key)
        self.weights.append(weight)

    def risk(self) -> float:
        """Return the sum."""
        if self.merge and self.keys:
            keys, inverse = np.unique(np.concatenate(self.keys), return_inverse=True)
            weight = np.zeros(keys.size)
            np.add.at(weight, inverse.reshape(-1), np.concatenate(self.weights))
            columns = []
            for span in reversed(self.spans):
                keys, column = np.divmod(keys, span)
                columns.append(column)
            sums = np.stack(columns[::-1], axis=1) + self.n * self.low
            centred = sums - self.n * (self.truth @ self.model.statistic)
            self._solve(centred @ self.model.change, weight)
        return math.fsum(self.parts)

    def _solve(self, centred: Array, weight: Array) -> None:
        """Add divergences of samples whose summed scores, less their mean, are `centred`."""
        size = self.n + self.smoothing * self.truth.size
        rows = max(1, _CELLS // self.model.scores.size)
        for start in range(0, weight.size, rows):
            part = slice(start, start + rows)
            gap = (centred[part] + self.smoothing * self.model.scores.sum(axis=0)) / size
            self.parts.append(float((weight[part] * finite_divergence(self.model, gap)).sum()))


class _Faces:
    """Whether the MLE exists, by which states a sample has: its mean is inside the hull or on a face of it."""

    def __init__(self, statistic: Array, held: NDArray[np.int64]) -> None:
        self.statistic, self.held = statistic, held
        self.known: dict[int, bool] = {}

    def exist(self, counts: Counts) -> NDArray[np.bool_]:
        """Return whether the MLE exists for each sample."""
        held = counts > 0
        if held.shape[1] <= _KEY_BITS:
            # as numbers: sorting rows takes several times as long
            kinds, inverse = np.unique(held @ (1 << np.arange(held.shape[1], dtype=np.int64)), return_inverse=True)
            patterns = [int(kind) for kind in kinds]
        else:
            rows, inverse = np.unique(held, axis=0, return_inverse=True)
            patterns = [sum(1 << int(i) for i in np.flatnonzero(row)) for row in rows]
        return np.array([self._one(pattern) for pattern in patterns])[inverse.reshape(-1)]

    def _one(self, pattern: int) -> bool:
        if pattern not in self.known:
            # a sample with more states is further inside
            if any(known & pattern == known for known, inside in self.known.items() if inside):
                self.known[pattern] = True
            elif any(known & pattern == pattern for known, inside in self.known.items() if not inside):
                self.known[pattern] = False
            else:
                from asymptopia.theory.projection.families.hull import hull_position

                rows = self.held[[i for i in range(self.held.size) if pattern >> i & 1]]
                self.known[pattern] = hull_position(self.statistic, self.statistic[rows].mean(axis=0)).interior
        return self.known[pattern]


def finite_divergence(model: FiniteModel, gap: Array) -> Array:
    r"""Return KL(projection || estimate) where the mean of the scores is `gap`, inside their hull; (M,) of (M, p).

    Notes
    -----
    With :math:`a = \Delta\cdot y` over the states, :math:`KL = \log(1 + E^*[e^a - 1 - a])` and the mean under the
    estimate is :math:`E^*[(e^a - 1)y] / E^*e^a`: no term cancels where the two laws are close. Damped Newton steps.
    """
    q, y = model.probs, model.scores
    delta = gap / (1.0 + np.sqrt(np.einsum("ij,ij->i", gap, gap)))[:, None]
    open_, hard = np.arange(gap.shape[0]), np.zeros(gap.shape[0], dtype=np.bool_)
    for _ in range(_STEPS):
        if not open_.size:
            break
        now = delta[open_]
        a = now @ y.T
        # about the largest exponent: far estimates overflow otherwise
        top = np.maximum(a.max(axis=1, keepdims=True), 0.0)
        tilted = q * np.exp(a - top)
        norm = tilted.sum(axis=1, keepdims=True)
        near = top < 0.5
        mean = np.where(near, (q * np.expm1(np.where(near, a, 0.0))) @ y, tilted @ y)
        mean = mean / (norm * np.exp(np.where(near, top, 0.0)))
        # about the mean of each: where one state has nearly all weight the moments about 0 cancel
        spread = np.sqrt(tilted / norm)[:, :, None] * (y - mean[:, None, :])
        cov = spread.transpose(0, 2, 1) @ spread
        short = gap[open_] - mean
        with np.errstate(divide="ignore"):
            flat = ~(np.linalg.slogdet(cov)[1] > _SINGULAR)
        cov[flat] = np.eye(gap.shape[1])
        step = np.linalg.solve(cov, short[:, :, None])[:, :, 0]
        form = np.einsum("ij,ij->i", short, step)
        root = np.sqrt(np.maximum(form, 0.0))
        length = np.where(root > _DAMPED, 1.0 / (1.0 + root), 1.0)
        delta[open_] = now + length[:, None] * step
        size = np.sqrt(np.einsum("ij,ij->i", delta[open_], delta[open_]))
        small = root <= _CONVERGED * np.minimum(size, 1.0)
        # rounding in a nearly singular system: a negative form, or a small step that leaves the mean far off
        off = np.abs(short).max(axis=1) > _OFF * np.abs(gap[open_]).max(axis=1)
        flat |= (form < 0.0) & off | ~np.isfinite(size) | (small & off)
        hard[open_[flat]] = True
        open_ = open_[~small & ~flat]
    hard[open_] = True
    result = _log_moment(q, delta @ y.T)
    if hard.any():
        result[hard] = [model.single(row) for row in gap[hard]]
    return result


def _log_moment(q: Array, a: Array) -> Array:
    top = a.max(axis=1)
    low = top < 300.0
    near = np.log1p(exp_excess(np.where(low[:, None], a, 0.0)) @ q)
    with np.errstate(under="ignore"):
        far = top + np.log(np.exp(a - top[:, None]) @ q)
    return np.asarray(np.where(low, near, far))


def one_by_one(n: int, family: ExponentialFamily, theta: Array, rows: Array, probs: Array) -> Risk:
    """Return the risk given that the MLE exists, by the family's own estimate of each sample from a finite law.

    Parameters
    ----------
    n : int
        Sample size.
    family : ExponentialFamily
    theta : ndarray, shape (p,)
        The projection.
    rows : ndarray, shape (k, p)
        Statistic of the points of the law.
    probs : ndarray, shape (k,)
        Their probabilities > 0.
    """
    check_count(n, probs.size, MOST_ONE_BY_ONE)
    risk: list[float] = []
    there: list[float] = []
    none: list[float] = []
    for counts in compositions(n, probs.size):
        for count, weight in zip(counts, sample_weights(counts, n, probs), strict=True):
            estimate = _estimate(family, count @ rows / n)
            if estimate is None:
                none.append(weight)
            elif weight > 0.0:
                there.append(weight)
                risk.append(weight * family.divergence(theta, estimate))
    total = math.fsum(there)
    value = math.fsum(risk) / total if total > 0.0 else math.inf
    return Risk(value, math.fsum(none) / (total + math.fsum(none)), not none)


def _estimate(family: ExponentialFamily, mean: Array) -> Any:
    try:
        return family.mle(mean)
    except MLEDoesNotExistError:
        return None
