"""Log-linear models of contingency tables: main effects, pairs, any hierarchical list of interactions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import Array, choice, fail, integer, numeric
from asymptopia.theory.projection.families.finite import FiniteSupport

MOST_CELLS = 2**20
"""Largest number of cells of a table that is held."""

Term = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class LogLinear(FiniteSupport):
    r"""The hierarchical log-linear model of a contingency table.

    Parameters
    ----------
    levels : sequence of int
        Number of levels of each factor, at least 2; the table has their product of cells, at most 2**20.
    interactions : int or sequence of tuples of int
        The order up to which all interactions are in: 1 independence, 2 all pairs; or the factors of each interaction
        such as ``[(0, 1), (1, 2)]``, whose subsets are in too. A factor in none of them is uniform.
    coding : {"corner", "sum"}
        Effects against level 0, or against the mean of the levels (the last level is then minus the sum of the others).
        The family is the same.

    Raises
    ------
    TypeError, ValueError
        If a level count, a factor or the number of cells is out of range.

    Notes
    -----
    Data are rows of integer codes, (n, d), code j of a factor from 0 to its number of levels less 1. `terms` and
    `labels` say what each of the p coordinates is. The estimate does not exist for a sample in which the margins of
    the model leave a face of the marginal polytope (such as an empty cell of a margin); `mle` proves it.

    References
    ----------
    .. [1] S. E. Fienberg, A. Rinaldo, "Maximum likelihood estimation in log-linear models", Annals of Statistics 40(2),
       2012.

    Examples
    --------
    >>> table = LogLinear([2, 3], interactions=1)
    >>> table.dim, table.labels
    (3, ('x0=1', 'x1=1', 'x1=2'))
    >>> table.statistic([[1, 2], [0, 1]])
    array([[1., 0., 1.],
           [0., 1., 0.]])
    """

    name: ClassVar[str] = "log-linear"

    levels: tuple[int, ...]
    terms: tuple[Term, ...]
    coding: str

    def __init__(
        self, levels: Sequence[int], interactions: int | Iterable[Sequence[int]] = 2, *, coding: str = "corner"
    ) -> None:
        sizes = _sizes(levels)
        terms = _terms(interactions, len(sizes))
        choice("coding", coding, ("corner", "sum"))
        cells = math.prod(sizes)
        width = sum(math.prod(sizes[j] - 1 for j in term) for term in terms)
        if cells * max(width, 1) > 2**27:
            raise fail(
                "the table of statistics",
                f"of {cells} cells by {width} parameters",
                "at most 2**27 entries; leave out interactions, or use SampledFamily",
            )
        codes = np.stack(np.unravel_index(np.arange(cells), sizes), axis=1)
        effects = [_effects(size, coding) for size in sizes]
        blocks = [_block(codes, term, effects) for term in terms]
        statistic = np.concatenate([np.empty((cells, 0)), *blocks], axis=1)
        object.__setattr__(self, "levels", sizes)
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "coding", coding)
        self._fill(statistic, np.zeros(cells), codes)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each coordinate of the statistic stands for, such as ``x0=1:x2=1``."""
        shift = 1 if self.coding == "corner" else 0
        return tuple(
            ":".join(f"x{j}={level + shift}" for j, level in zip(term, at, strict=True))
            for term in self.terms
            for at in product(*(range(self.levels[j] - 1) for j in term))
        )

    def _component_names(self) -> Sequence[str]:
        return tuple(f"[{label}]" for label in self.labels)

    def state_index(self, x: ArrayLike) -> NDArray[np.intp]:
        """Return the number of the cell of each row of codes, (n,), the last factor running fastest.

        One factor may have its codes in one axis, (n,).

        Raises
        ------
        TypeError, ValueError
            If a code is not an integer in range, or the shape is not (n, d).
        """
        codes = numeric("x", x, min_ndim=1)
        if codes.ndim == 1:
            codes = codes[:, None] if len(self.levels) == 1 else codes[None]
        if codes.shape[1:] != (len(self.levels),):
            raise fail("x.shape", np.shape(x), f"(n, {len(self.levels)}), one column of codes a factor")
        bad = (codes != np.floor(codes)) | (codes < 0) | (codes >= np.array(self.levels))
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            raise fail(f"x[{row}, {column}]", float(codes[row, column]), f"a code from 0 to {self.levels[column] - 1}")
        index: NDArray[np.intp] = np.ravel_multi_index(tuple(codes.T.astype(np.intp)), self.levels)
        return index

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"probs": table}`` with an axis for each factor."""
        return {"probs": self.probabilities(theta).reshape(self.levels)}


def _sizes(levels: Sequence[int]) -> tuple[int, ...]:
    if isinstance(levels, str | int) or not np.iterable(levels):
        message = f"levels is {levels!r}; expected a sequence such as [2, 2, 3], the number of levels of each factor"
        raise TypeError(message)
    sizes = tuple(integer(f"levels[{j}]", size, 2) for j, size in enumerate(levels))
    if not sizes:
        raise fail("levels", levels, "at least one factor")
    cells = math.prod(sizes)
    if cells > MOST_CELLS:
        message = (
            f"levels {list(sizes)} make a table of {cells} cells; expected at most 2**20 = {MOST_CELLS}: merge levels, "
            "or use SampledFamily, which needs no table"
        )
        raise ValueError(message)
    return sizes


def _terms(interactions: int | Iterable[Sequence[int]], factors: int) -> tuple[Term, ...]:
    """Return all interactions of the model, subsets included, in the order of their size."""
    if not np.iterable(interactions):
        order = integer("interactions", interactions, 1, factors)
        return tuple(chain.from_iterable(combinations(range(factors), k) for k in range(1, order + 1)))
    found: set[Term] = set()
    each: Iterable[Any] = interactions
    for at, given in enumerate(each):
        if not np.iterable(given):
            message = f"interactions[{at}] is {given!r}; expected a tuple of factors such as (0, 1)"
            raise TypeError(message)
        members = tuple(integer(f"interactions[{at}]", j, 0, factors - 1) for j in given)
        if len(set(members)) < len(members) or not members:
            raise fail(f"interactions[{at}]", members, "different factors, at least one")
        ordered = sorted(members)
        found.update(chain.from_iterable(combinations(ordered, k) for k in range(1, len(ordered) + 1)))
    return tuple(sorted(found, key=lambda term: (len(term), term)))


def _effects(size: int, coding: str) -> Array:
    """Return the coded value of each level, (size, size - 1)."""
    if coding == "corner":
        return np.eye(size)[:, 1:]
    return np.vstack((np.eye(size - 1), -np.ones(size - 1)))


def _block(codes: NDArray[Any], term: Term, effects: list[Array]) -> Array:
    """Return the columns of an interaction: all products of the effects of its factors."""
    block: Array = effects[term[0]][codes[:, term[0]]]
    for j in term[1:]:
        block = (block[:, :, None] * effects[j][codes[:, j]][:, None, :]).reshape(codes.shape[0], -1)
    return block
