"""The Ising model on any graph, by its states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG
from asymptopia.theory._core.validation import Array, fail, integer, numeric
from asymptopia.theory.projection.errors import NotMinimalError
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.finite import draw
from asymptopia.theory.projection.families.protocol import FAR, ExponentialFamily, Support, frozen, sample_size
from asymptopia.theory.projection.families.walsh import SpinProducts, spins
from asymptopia.theory.projection.stable_risk import log_mean_exp

MOST_SPINS = 20
"""2**20 states are summed over."""

_LARGEST = 2**27


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Ising(ExponentialFamily):
    r"""Return the Ising model :math:`P(s) \propto \exp(\sum_i h_i s_i + \sum_{(i,j) \in E} J_{ij} s_i s_j)`.

    Parameters
    ----------
    d : int
        Number of spins, from 1 to 20; each is -1 or 1.
    edges : sequence of pairs of int, optional
        The pairs that interact, each once; all ``d (d - 1) / 2`` where not given, none where empty.

    Raises
    ------
    TypeError, ValueError
        If the number of spins or an edge is out of range, or an edge occurs twice.

    Notes
    -----
    The natural parameter is h, then J in the order of `edges`; p = d + number of edges. Spins are -1 and 1: code data
    in {0, 1} as ``2 * x - 1``. Moments are exact sums over all ``2**d`` states by Walsh-Hadamard transforms,
    ``d 2**d`` operations: the product of two statistics is a product of spins again. For more spins use
    `SampledFamily`.

    References
    ----------
    .. [1] E. Ising, "Beitrag zur Theorie des Ferromagnetismus", Zeitschrift fuer Physik 31, 1925.

    Examples
    --------
    >>> pair = Ising(2)
    >>> theta = pair.natural([0.0, 0.0], [[0.0, 0.5], [0.5, 0.0]])
    >>> np.round(pair.mean(theta), 4)  # of the product: tanh(0.5)
    array([0.    , 0.    , 0.4621])
    """

    name: ClassVar[str] = "Ising"
    discrete: ClassVar[bool] = True

    d: int
    edges: tuple[tuple[int, int], ...]
    _products: SpinProducts

    def __init__(self, d: int, edges: Iterable[Sequence[int]] | None = None) -> None:
        count = integer("d", d, 1, MOST_SPINS)
        pairs = tuple(combinations(range(count), 2)) if edges is None else _edges(edges, count)
        masks = np.array([1 << i for i in range(count)] + [1 << i | 1 << j for i, j in pairs], dtype=np.intp)
        masks.setflags(write=False)
        object.__setattr__(self, "d", count)
        object.__setattr__(self, "edges", pairs)
        object.__setattr__(self, "_products", SpinProducts(count, masks, self.name))

    def __repr__(self) -> str:
        return f"Ising({self.d}, {len(self.edges)} edges)"

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return self.d + len(self.edges)

    def support(self) -> Support:
        """Return the states, (2**d, d), their statistics and zero log weights.

        Raises
        ------
        ValueError
            If the statistics of all states are more than 2**27 numbers.
        """
        count = 2**self.d
        if count * self.dim > _LARGEST:
            raise fail("the table of statistics", f"of {count} by {self.dim}", "at most 2**27 entries: fewer spins")
        every = np.arange(count)
        found = Support(spins(every, self.d), self._products.rows(every), np.zeros(count))
        for array in found:
            array.setflags(write=False)
        return found

    def probabilities(self, theta: ArrayLike) -> Array:
        """Return the probability of each state, (2**d,); bit i of its number is 1 where spin i is -1."""
        return self._products.weights(self.check_theta(theta))[0]

    def state_index(self, x: ArrayLike) -> NDArray[np.intp]:
        """Return the number of the state of each row of spins, (n,)."""
        down = (self._spins(x) < 0).astype(np.intp)
        index: NDArray[np.intp] = down @ (np.intp(1) << np.arange(self.d))
        return index

    def _spins(self, x: ArrayLike) -> Array:
        rows = numeric("x", x, min_ndim=1)
        if rows.ndim == 1:
            rows = rows[:, None] if self.d == 1 else rows[None]
        if rows.shape[1:] != (self.d,):
            raise fail("x.shape", np.shape(x), f"(n, {self.d}), one column a spin")
        bad = np.abs(rows) != 1.0
        if bad.any():
            i, j = (int(k) for k in np.argwhere(bad)[0])
            raise fail(f"x[{i}, {j}]", float(rows[i, j]), "-1 or 1; code data in {0, 1} as 2 * x - 1")
        return rows

    def statistic(self, x: ArrayLike) -> Array:
        """Return spins and their products over the edges, (n, p), of rows of spins -1 or 1.

        Raises
        ------
        TypeError, ValueError
            If an entry is not -1 or 1, or the shape is not (n, d).
        """
        rows = self._spins(x)
        if not self.edges:
            return rows
        first, second = np.array(self.edges).T
        return np.concatenate((rows, rows[:, first] * rows[:, second]), axis=1)

    def log_partition(self, theta: ArrayLike) -> float:
        r"""Return :math:`\Psi(\theta)`, the logarithm of the sum over all states."""
        return self._products.weights(self.check_theta(theta))[1]

    def mean(self, theta: ArrayLike) -> Array:
        """Return the mean of the statistic, (p,)."""
        return self._products.moments(self.check_theta(theta)).mean

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of the statistic, (p, p)."""
        return self._products.moments(self.check_theta(theta)).cov

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants of the statistic, (p, p, p)."""
        return self._products.third(self.check_theta(theta))

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants contracted with a symmetric matrix, (p, p)."""
        return self._products.fourth(self.check_theta(theta), self.check_matrix(w))

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return the natural parameter whose mean is `mean_stat`, (p,).

        Raises
        ------
        MLEDoesNotExistError
            If the mean is not in the interior of the marginal polytope; a linear program proves it.
        RuntimeError
            If it lies so near the boundary that rounding decides.
        """
        return frozen(self._products.solve(self.check_mean(mean_stat)))

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[np.int64]:
        """Return independent draws of spins, (size, d), exact."""
        return spins(draw(self.probabilities(theta), sample_size(size), rng), self.d)

    @named_parameters
    def natural(self, h: ArrayLike, J: ArrayLike | None = None) -> Array:
        """Return the natural parameter of fields and couplings.

        Parameters
        ----------
        h : array_like, shape (d,)
            Fields; a number for all.
        J : array_like, shape (d, d) or (edges,), optional
            Couplings: a symmetric matrix with zero diagonal, zero off the edges, or one number an edge, or one number
            for all edges; 0 where not given.

        Raises
        ------
        TypeError, ValueError
            If shapes do not fit or the matrix has another form.
        """
        fields = numeric("h", h)
        if fields.ndim > 0 and fields.shape != (self.d,):
            raise fail("h.shape", fields.shape, f"({self.d},), one field a spin")
        couplings = np.zeros(len(self.edges)) if J is None else self._couplings(numeric("J", J))
        return frozen(np.concatenate((np.broadcast_to(fields, (self.d,)), couplings)))

    def _couplings(self, value: Array) -> Array:
        edges = len(self.edges)
        if value.shape in {(), (edges,)}:
            return np.array(np.broadcast_to(value, (edges,)))
        if value.shape != (self.d, self.d):
            raise fail("J.shape", value.shape, f"({self.d}, {self.d}), ({edges},) or a number")
        if (value != value.T).any() or np.diag(value).any():
            raise fail("J", "a matrix that is not symmetric or whose diagonal is not 0", "symmetric, zero diagonal")
        kept = self._matrix(np.ones(edges))
        if (value[kept == 0.0] != 0.0).any():
            i, j = (int(k) for k in np.argwhere((kept == 0.0) & (value != 0.0))[0])
            raise fail(f"J[{i}, {j}]", float(value[i, j]), f"0, for ({i}, {j}) is not an edge")
        return np.array([value[i, j] for i, j in self.edges])

    def _matrix(self, couplings: Array) -> Array:
        matrix = np.zeros((self.d, self.d))
        for (i, j), value in zip(self.edges, couplings, strict=True):
            matrix[i, j] = matrix[j, i] = value
        return matrix

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"h": fields, "J": symmetric matrix}``."""
        value = self.check_theta(theta)
        return {"h": value[: self.d].copy(), "J": self._matrix(value[self.d :])}

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`KL(\theta^*\|\hat\theta)` in nats, without cancellation where the two are close."""
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        chances = self.probabilities(star)
        return log_mean_exp(self._products.scores(hat - star), chances)

    def _range(self, theta: Array) -> str | None:
        return None if (np.abs(theta) <= FAR).all() else f"fields and couplings of at most {FAR:g}"


def _edges(edges: Iterable[Sequence[int]], d: int) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for at, edge in enumerate(edges):
        ends = sorted(integer(f"edges[{at}]", i, 0, d - 1) for i in edge)
        if len(ends) != 2 or ends[0] == ends[1]:
            raise fail(f"edges[{at}]", tuple(edge), "two different spins")
        found.append((ends[0], ends[1]))
    seen = set(found)
    if len(seen) < len(found):
        twice = next(pair for pair in found if found.count(pair) > 1)
        columns = [d + k for k, pair in enumerate(found) if pair == twice][:2]
        direction = np.zeros(d + len(found))
        direction[columns] = 1.0, -1.0
        raise NotMinimalError.along([direction.tolist()], f"edge {twice} occurs twice")
    return tuple(found)
