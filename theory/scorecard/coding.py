"""From the columns of a data frame to cells: quantile bins, levels, and missing values as a cell of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import integer

Codes = NDArray[np.int64]
MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The values of one column: numbers (NaN where missing) or text (None where missing)."""

    name: str
    values: NDArray[Any]

    @property
    def numeric(self) -> bool:
        """True if the values are numbers."""
        return self.values.dtype.kind == "f"

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where the value is missing."""
        if self.numeric:
            gone: NDArray[np.bool_] = np.isnan(self.values)
            return gone
        return np.array([value is None for value in self.values], dtype=bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of one column and the code of every row.

    Attributes
    ----------
    labels : tuple of str
        Name of each cell.
    codes : tuple of int arrays
        For each table the code of each row.
    quantiles : bool
        True if the cells were cut at quantiles of the first table.
    """

    labels: tuple[str, ...]
    codes: tuple[Codes, ...]
    quantiles: bool


def columns_of(data: Any, names: Sequence[str] | None = None) -> list[Column]:
    """Return the columns of a data frame of any library that narwhals knows, or of a mapping of arrays.

    Raises
    ------
    TypeError
        If `data` is no data frame.
    ValueError
        If a name is not a column, or a column holds something that is neither number nor text.
    """
    import narwhals as nw

    if isinstance(data, dict):
        data = nw.from_dict(data, backend="pandas")
    frame = nw.from_native(data, eager_only=True, pass_through=False)
    for name in names or ():
        if name not in frame.columns:
            message = f"no column {name!r}; the columns are {', '.join(map(repr, frame.columns))}"
            raise ValueError(message)
    return [_column(name, frame[name]) for name in (frame.columns if names is None else names)]


def _column(name: str, series: Any) -> Column:
    import narwhals as nw

    kind = series.dtype
    if kind.is_numeric():
        return Column(name=name, values=series.cast(nw.Float64).to_numpy().astype(np.float64))
    if kind.is_temporal() or kind.is_nested() or kind == nw.Binary:
        message = f"column {name!r} has dtype {kind}; expected numbers, text, categories or booleans: convert it first"
        raise ValueError(message)
    null = series.is_null().to_numpy()
    values = np.array(
        [None if gone else str(value) for value, gone in zip(series.to_list(), null, strict=True)], dtype=object
    )
    return Column(name=name, values=values)


def cells(first: Column, *others: Column, bins: int = 10) -> Cells:
    """Return the cells of a column that one or more tables share.

    Parameters
    ----------
    first : Column
        Decides the cut points: quantiles where it holds more than `bins` distinct numbers.
    *others : Column
        The same column in other tables. A level that the first lacks is a cell of its own.
    bins : int
        Quantile bins at most, at least 2. Equal quantiles are merged.

    Notes
    -----
    A numeric column with at most `bins` distinct values, and any other column, has one cell a value. Missing
    values are the last cell, where there are any.
    """
    bins = integer("bins", bins, 2)
    tables = (first, *others)
    if len({table.numeric for table in tables}) > 1:
        message = f"column {first.name!r} is numeric in one table and text in another; convert it first"
        raise ValueError(message)
    gone = [table.missing for table in tables]
    present = [table.values[~mask] for table, mask in zip(tables, gone, strict=True)]
    if first.numeric and len(np.unique(present[0])) > bins:
        edges = _quantile_edges(present[0], bins)
        labels = _interval_labels(edges)
        coded = [np.searchsorted(edges, values, side="left") for values in present]
        quantiles = True
    else:
        levels = np.unique(np.concatenate(present)) if first.numeric else np.array(sorted(set().union(*present)))
        labels = [f"{level:.12g}" if first.numeric else str(level) for level in levels]
        coded = [np.searchsorted(levels, values.astype(levels.dtype)) for values in present]
        quantiles = False
    if any(mask.any() for mask in gone):
        labels = [*labels, MISSING]
    codes = []
    for mask, code in zip(gone, coded, strict=True):
        full = np.full(len(mask), len(labels) - 1, dtype=np.int64)
        full[~mask] = code
        codes.append(full)
    return Cells(labels=tuple(labels), codes=tuple(codes), quantiles=quantiles)


def _quantile_edges(values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Return the inner cut points: values of the sample, so that ties never straddle one."""
    shares = np.arange(1, bins) / bins
    edges = np.quantile(values, shares, method="inverted_cdf")
    # a cut at the maximum would leave the last cell empty: an atom there becomes the last cell
    top = values.max()
    edges[edges == top] = values[values < top].max()
    inner: NDArray[np.float64] = np.unique(edges)
    return inner


def _interval_labels(edges: NDArray[np.float64]) -> list[str]:
    cuts = [f"{edge:.6g}" for edge in edges]
    return [f"<= {cuts[0]}", *(f"({a}, {b}]" for a, b in pairwise(cuts)), f"> {cuts[-1]}"]
