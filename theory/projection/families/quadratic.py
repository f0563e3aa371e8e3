"""Quadratic-exponential models on the unit cube, with an optional discrete coordinate: a Gibbs sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.threads import over_rows
from asymptopia.theory._core.units import load_unit
from asymptopia.theory._core.validation import Array, fail, integer, numeric
from asymptopia.theory.projection.families.quadratic_source import SOURCE
from asymptopia.theory.projection.families.sampled import SampledFamily

if TYPE_CHECKING:
    from numpy.random import Generator

LEAST_SHAPE = 0.01
"""A beta reference below this shape has its mass at an end: the column is corrupt, or all but constant."""

_BURN = 200


class QuadraticReference(NamedTuple):
    """Reference measure: independent beta laws, and a law on few values."""

    a: Array
    """First shapes, (d,)."""
    b: Array
    """Second shapes, (d,)."""
    values: Array
    """Values of the discrete coordinate, (m,); empty without one."""
    pmf: Array
    """Their probabilities, (m,)."""


def quadratic_reference(x: ArrayLike, y: ArrayLike | None = None) -> QuadraticReference:
    r"""Return the reference measure of data: a beta law of the same mean and variance for each column.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Continuous columns scaled to [0, 1], such as by their maxima.
    y : array_like, shape (n,), optional
        A discrete column of few values.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a number in [0, 1], a column is constant, or its beta law is degenerate (a shape below 0.01),
        as that of a column with corrupt large values is.

    Notes
    -----
    :math:`a = m^2(1-m)/v - m`, :math:`b = a(1-m)/m` with mean m and variance v (divisor n - 1).

    Examples
    --------
    >>> found = quadratic_reference([[0.2], [0.4], [0.6], [0.8]], [1, 1, 2, 3])
    >>> found.a.round(3).tolist(), found.values.tolist(), found.pmf.tolist()
    ([1.375], [1.0, 2.0, 3.0], [0.5, 0.25, 0.25])
    """
    rows = numeric("x", x, min_ndim=2)
    if rows.ndim != 2 or rows.shape[0] < 2 or rows.shape[1] < 1:
        raise fail("x.shape", rows.shape, "(n, d) with n >= 2, d >= 1")
    outside = (rows < 0.0) | (rows > 1.0)
    if outside.any():
        i, j = (int(k) for k in np.argwhere(outside)[0])
        raise fail(f"x[{i}, {j}]", float(rows[i, j]), "numbers in [0, 1]: divide each column by its maximum")
    m, v = rows.mean(axis=0), rows.var(axis=0, ddof=1)
    if not (v > 0.0).all():
        raise fail(f"x[:, {int(np.argmin(v))}]", "constant", "columns that vary")
    a = m * m * (1.0 - m) / v - m
    b = a * (1.0 - m) / m
    bad = np.minimum(a, b) < LEAST_SHAPE
    if bad.any():
        j = int(np.argmax(bad))
        message = (
            f"x[:, {j}] has mean {m[j]:.4g} and standard deviation {v[j] ** 0.5:.4g}: its beta law has the shapes "
            f"{a[j]:.3g}, {b[j]:.3g}, expected at least {LEAST_SHAPE}; look for corrupt values, such as a lost decimal "
            "point, before the column is scaled"
        )
        raise ValueError(message)
    if y is None:
        return QuadraticReference(a, b, np.empty(0), np.empty(0))
    column = numeric("y", y, min_ndim=1)
    if column.shape != rows.shape[:1]:
        raise fail("y.shape", column.shape, f"({rows.shape[0]},), one value a row of x")
    values, counts = np.unique(column, return_counts=True)
    return QuadraticReference(a, b, values, counts / column.size)


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class QuadraticExponential(SampledFamily):
    """Return the model that `quadratic_exponential` makes; see there."""

    name: ClassVar[str] = "quadratic-exponential"

    reference: QuadraticReference
    keep: NDArray[np.intp]


def quadratic_exponential(
    reference: QuadraticReference,
    *,
    keep: Sequence[int] | NDArray[Any] | None = None,
    draws: int = 200_000,
    batches: int = 8,
    schedule: Sequence[tuple[int, int]] | None = None,
    thin: int = 4,
    chains: int = 8,
    seed: int = 0,
) -> QuadraticExponential:
    r"""Return the family with density :math:`\exp(\sum_{i<j}\theta_{ij}x_ix_j + \sum_i\theta_i y x_i)`.

    The density is with respect to `reference`: independent beta laws of x in (0, 1)^d, and a law on few values of y.

    Parameters
    ----------
    reference : QuadraticReference
        As `quadratic_reference` gives it.
    keep : sequence of int, optional
        Statistics of the submodel, in the order below; all where not given.
    draws, batches, schedule, seed
        As `SampledFamily`.
    thin : int
        Sweeps of the chain a draw.
    chains : int
        Independent chains, run in threads; draws do not depend on the number of threads.

    Returns
    -------
    QuadraticExponential
        A `SampledFamily`. Its data are rows of x, with y as the last column where the reference has one; its
        statistics are the products :math:`x_ix_j`, (0, 1), (0, 2), ..., then :math:`y x_i`.

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit or an argument is out of range.

    Notes
    -----
    Given all else each :math:`x_i` has the density of its beta law times :math:`e^{cx}`: a slice sampler on the
    logit, with stepping out. y is drawn from its conditional law; for the fit it is summed out of mean and covariance.

    References
    ----------
    .. [1] R. M. Neal, "Slice sampling", Annals of Statistics 31(3), 2003.
    .. [2] Y. Sheena, "Convergence of estimative density: criterion for model complexity and sample size", Statistical
       Papers, 2022 (the model of the red wine data).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> family = quadratic_exponential(quadratic_reference(rng.beta(2, 3, (500, 3))), draws=2000)
    >>> family.dim, family.sample(np.zeros(3), 4, 1).shape
    (3, (4, 3))
    """
    given: Any = reference
    if not isinstance(given, QuadraticReference):
        message = f"reference is of type {type(reference).__name__}; expected what quadratic_reference(x) returns"
        raise TypeError(message)
    a, b = numeric("reference.a", reference.a, min_ndim=1), numeric("reference.b", reference.b, min_ndim=1)
    if a.shape != b.shape or a.ndim != 1 or not ((a > 0.0).all() and (b > 0.0).all()):
        raise fail("reference", "shapes a, b of the beta laws", "two vectors of numbers > 0 of one length")
    values, pmf = numeric("reference.values", reference.values), numeric("reference.pmf", reference.pmf)
    if values.shape != pmf.shape or not (pmf > 0.0).all() or (pmf.size and abs(pmf.sum() - 1.0) > 1e-9):
        raise fail("reference.pmf", pmf.tolist(), "a probability > 0 of each of reference.values, sum 1")
    count = a.size * (a.size - 1) // 2 + (a.size if values.size else 0)
    kept = np.arange(count) if keep is None else _kept(keep, count)
    if not kept.size:
        raise fail("reference.a.size", a.size, "two continuous coordinates, or a discrete one: there is no product")
    model = _Model(QuadraticReference(a, b, values, pmf), kept, integer("thin", thin, 1), integer("chains", chains, 1))
    family = object.__new__(QuadraticExponential)
    SampledFamily.__init__(
        family,
        model.statistic,
        model.sample,
        dim=kept.size,
        draws=draws,
        batches=batches,
        schedule=schedule,
        seed=seed,
        conditional=model.conditional if values.size else None,
    )
    object.__setattr__(family, "reference", model.reference)
    object.__setattr__(family, "keep", kept)
    return family


class _Model(NamedTuple):
    """Statistic, sampler and conditional moments."""

    reference: QuadraticReference
    keep: NDArray[np.intp]
    thin: int
    chains: int

    @property
    def d(self) -> int:
        return self.reference.a.size

    def statistic(self, x: Any) -> Array:
        """Return the products, (n, p)."""
        discrete = self.reference.values.size > 0
        rows = numeric("x", x, min_ndim=1)
        rows = rows[None] if rows.ndim == 1 else rows
        width = self.d + discrete
        if rows.shape[1:] != (width,):
            raise fail("x.shape", rows.shape, f"(n, {width}): x{' and y' if discrete else ''}")
        outside = (rows[:, : self.d] < 0.0) | (rows[:, : self.d] > 1.0)
        if outside.any():
            i, j = (int(k) for k in np.argwhere(outside)[0])
            raise fail(f"x[{i}, {j}]", float(rows[i, j]), "numbers in [0, 1]: divide each column by its maximum")
        if discrete and not np.isin(rows[:, -1], self.reference.values).all():
            i = int(np.argmin(np.isin(rows[:, -1], self.reference.values)))
            raise fail(f"x[{i}, {self.d}]", float(rows[i, -1]), f"one of {self.reference.values.tolist()}")
        return self._products(rows[:, : self.d], rows[:, -1] if discrete else None)

    def _products(self, x: Array, y: Array | None) -> Array:
        first, second = np.triu_indices(self.d, 1)
        pairs = first.size
        result = np.empty((x.shape[0], self.keep.size))
        for column, k in enumerate(self.keep):
            left = x[:, first[k]] if k < pairs else y
            assert left is not None
            np.multiply(left, x[:, second[k] if k < pairs else k - pairs], out=result[:, column])
        return result

    def _spread(self, theta: Array) -> tuple[Array, Array]:
        """Return the parameters as a symmetric matrix (d, d) and those with y, (d,)."""
        first, second = np.triu_indices(self.d, 1)
        whole = np.zeros(first.size + self.d)
        whole[self.keep] = theta
        matrix = np.zeros((self.d, self.d))
        matrix[first, second] = matrix[second, first] = whole[: first.size]
        return matrix, whole[first.size :]

    def sample(self, theta: Array, size: int, rng: Generator) -> Array:
        """Return draws of the chains, one chain after the other."""
        matrix, slope = self._spread(theta)
        a, b, values, pmf = self.reference
        seeds = rng.integers(1, 2**64, size=(self.chains, 4), dtype=np.uint64, endpoint=False)
        with np.errstate(divide="ignore"):
            start = np.log(rng.gamma(a, size=(self.chains, self.d))) - np.log(rng.gamma(b, size=(self.chains, self.d)))
        start = np.clip(start, -30.0, 30.0)
        width = 2.0 * _logit_sd(a, b)
        each = -(-size // self.chains)
        out = np.empty((self.chains, each, self.d + (values.size > 0)))
        logs = np.log(pmf)
        unit = _unit()

        def run(first: int, last: int) -> None:
            for chain in range(first, last):
                unit.chain(
                    matrix, slope, a, b, width, values, logs, start[chain], seeds[chain], _BURN, self.thin, out[chain]
                )

        over_rows(run, self.chains, least=1)
        return out.reshape(self.chains * each, -1)[:size]

    def conditional(self, theta: Array, x: Any) -> tuple[Array, Array]:
        """Return the means of the statistic with y summed out, and the mean conditional covariance given x."""
        _, slope = self._spread(theta)
        rows = x[:, : self.d]
        logs = np.outer(rows @ slope, self.reference.values) + np.log(self.reference.pmf)
        logs -= logs.max(axis=1, keepdims=True)
        chances = np.exp(logs, out=logs)
        chances /= chances.sum(axis=1, keepdims=True)
        mean = chances @ self.reference.values
        variance = chances @ self.reference.values**2 - mean**2
        pairs = self.d * (self.d - 1) // 2
        inner = np.zeros((self.keep.size, self.keep.size))
        late = np.flatnonzero(self.keep >= pairs)
        chosen = rows[:, self.keep[late] - pairs]
        inner[np.ix_(late, late)] = (chosen * variance[:, None]).T @ chosen / rows.shape[0]
        return self._products(rows, mean), inner


def _kept(keep: Sequence[int] | NDArray[Any], count: int) -> NDArray[np.intp]:
    chosen = [integer(f"keep[{i}]", k, 0, count - 1) for i, k in enumerate(keep)]
    if len(set(chosen)) < len(chosen) or not chosen:
        raise fail("keep", chosen, "different statistics, at least one")
    return np.array(chosen, dtype=np.intp)


def _logit_sd(a: Array, b: Array) -> Array:
    """Return the standard deviation of log(x / (1 - x)) under beta laws."""
    from scipy.special import polygamma

    result: Array = np.sqrt(polygamma(1, a) + polygamma(1, b))
    return result


@cache
def _unit() -> Any:
    return load_unit("projection_quadratic", SOURCE)
