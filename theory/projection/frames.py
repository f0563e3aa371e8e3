"""Columns of a table as numbers or coded levels, and the groups of its rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import choice

Array = NDArray[np.float64]

MOST_LEVELS = 30
MOST_NAMED = 3
MISSING = ("raise", "drop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What was read of a table."""

    names: tuple[str, ...]
    values: Array
    """Numbers or codes, shape (n, columns)."""
    levels: tuple[tuple[str, ...], ...]
    """Levels of each coded column, empty where the columns are numbers."""
    groups: tuple[str, ...] | None
    """Group of each row."""
    rows: NDArray[np.intp]
    """Number of each row in the table, the first 0; some are missing where rows were dropped."""
    dropped: tuple[tuple[str, int], ...]
    """How many rows each column was the first to lose."""


def read_frame(frame: Any) -> Any:
    """Return a narwhals frame of a data frame, a mapping of arrays, an array of shape (n, d), or a CSV file's path.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If it has no rows, or a file is not there or is malformed.
    """
    import narwhals as nw
    from narwhals.exceptions import NarwhalsError

    if isinstance(frame, str | Path):
        frame = _read_csv(Path(frame))
    elif isinstance(frame, np.ndarray):
        if frame.ndim not in (1, 2):
            message = f"frame has shape {frame.shape}; expected (rows, columns)"
            raise ValueError(message)
        table = frame.reshape(frame.shape[0], -1)
        frame = {f"x{j}": table[:, j] for j in range(table.shape[1])}
    try:
        data = nw.from_dict(dict(frame), backend="pandas") if isinstance(frame, Mapping) else frame
        if hasattr(data, "set_axis") and hasattr(data, "columns"):
            # names of pandas may be numbers or tuples
            data = data.set_axis([str(name) for name in data.columns], axis=1)
        found = nw.from_native(data, eager_only=True)
    except (TypeError, ValueError, NarwhalsError) as error:
        message = (
            f"frame is of type {type(frame).__name__}; expected a data frame (pandas, polars or pyarrow, not lazy, no "
            "name twice), a mapping of columns of one length, an array (rows, columns), or the path of a CSV file: "
            f"{(str(error).strip() or type(error).__name__).splitlines()[0].rstrip(':')}"
        )
        raise TypeError(message) from None
    if len(found) == 0 or not found.columns:
        message = f"the table has {len(found)} rows and {len(found.columns)} columns; expected some of both"
        raise ValueError(message)
    return found


def _read_csv(path: Path) -> Any:
    import pandas as pd

    if not path.is_file():
        message = f"no file {str(path)!r}; expected a CSV file with a header"
        raise ValueError(message)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            head = stream.readline()
        separator = max(",;\t", key=head.count)
        table = pd.read_csv(path, sep=separator, quoting=csv.QUOTE_MINIMAL)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        message = f"{str(path)!r} is no CSV file with a header: {str(error).strip()}"
        raise ValueError(message) from None
    # a header padded with blanks is common in old files
    return table.rename(columns=lambda name: str(name).strip())


def read_columns(
    frame: Any,
    columns: Sequence[str] | None,
    *,
    coded: bool,
    by: str | None = None,
    log: bool = False,
    missing: str = "raise",
) -> Columns:
    """Return columns of a table: as numbers, or as codes of their levels.

    Parameters
    ----------
    frame : data frame, mapping, array or path
        As `read_frame`.
    columns : sequence of str, optional
        Which; all but `by` if None.
    coded : bool
        Code each column by its sorted levels.
    by : str, optional
        Column that groups the rows.
    log : bool
        Take natural logarithms.
    missing : {"raise", "drop"}
        What to do with rows that hold a missing or infinite value, or a value <= 0 of which the logarithm is taken.
    """
    choice("missing", missing, MISSING)
    given: Any = columns
    if given is not None and not isinstance(given, Sequence):
        message = f"columns is {columns!r} of type {type(columns).__name__}; expected a sequence of names"
        raise TypeError(message)
    if coded and log:
        message = "log is True, but this family takes categories; leave it out"
        raise ValueError(message)
    table = read_frame(frame)
    known = list(table.columns)
    names = [name for name in known if name != by] if columns is None else list(columns)
    for name in [*names, *([] if by is None else [by])]:
        if name not in known:
            message = f"no column {name!r}; the columns are {', '.join(map(repr, known))}"
            raise ValueError(message)
    if not names or len(set(names)) < len(names):
        message = f"columns are {names!r}; expected at least one, none of them twice"
        raise ValueError(message)
    if by in names:
        message = f"by is {by!r}, which is one of the columns of the model too"
        raise ValueError(message)
    kept = np.ones(len(table), dtype=bool)
    dropped: list[tuple[str, int]] = []
    read: list[NDArray[Any]] = []
    for name in names:
        values, odd = _labels(table[name]) if coded else _numbers(table[name], name, log=log)
        _drop(name, odd, kept, dropped, missing)
        read.append(values)
    groups = None
    if by is not None:
        values, odd = _labels(table[by])
        _drop(by, odd, kept, dropped, missing)
        groups = tuple(str(value) for value in values[kept])
    if not kept.any():
        message = f"no row is left: {', '.join(f'{count} lost for {name!r}' for name, count in dropped)}"
        raise ValueError(message)
    rows = np.flatnonzero(kept)
    if not coded:
        return Columns(
            names=tuple(names),
            values=np.column_stack([values[kept] for values in read]),
            levels=(),
            groups=groups,
            rows=rows,
            dropped=tuple(dropped),
        )
    parts = [_coded(values[kept], name) for values, name in zip(read, names, strict=True)]
    return Columns(
        names=tuple(names),
        values=np.column_stack([codes for codes, _ in parts]),
        levels=tuple(levels for _, levels in parts),
        groups=groups,
        rows=rows,
        dropped=tuple(dropped),
    )


def _drop(name: str, odd: NDArray[Any], kept: NDArray[np.bool_], dropped: list[tuple[str, int]], missing: str) -> None:
    """Take odd rows out of `kept`, or raise the error that names the first."""
    bad = odd != ""
    if bad.any() and missing == "raise":
        row = int(np.argmax(bad))
        message = (
            f"column {name!r} is {odd[row]} in row {row} (the first of {int(bad.sum())}); expected a value in every "
            "row: give missing='drop' to leave such rows out, or choose other columns"
        )
        raise ValueError(message)
    lost = int((bad & kept).sum())
    if lost:
        dropped.append((name, lost))
    kept &= ~bad


def _numbers(series: Any, name: str, *, log: bool) -> tuple[Array, NDArray[Any]]:
    """Return values and, for each row, what is wrong with it ('' if nothing)."""
    import narwhals as nw

    if not (series.dtype.is_numeric() or series.dtype == nw.Boolean):
        message = (
            f"column {name!r} has dtype {series.dtype}; expected numbers: leave it out with columns=..., group by it "
            "with by=..., or choose a family of categories (multinomial, loglinear, ising)"
        )
        raise ValueError(message)
    null = series.is_null().to_numpy()
    values = np.full(len(null), np.nan)
    values[~null] = series.drop_nulls().cast(nw.Float64).to_numpy()
    odd = np.full(values.size, "", dtype=object)
    odd[np.isinf(values)] = "infinite"
    odd[np.isnan(values)] = "missing"
    if log:
        flat = np.isfinite(values) & (values <= 0)
        odd[flat] = "not positive"
        values = np.log(np.where(odd == "", values, 1.0))
    return values, odd


def _labels(series: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the values of a column as objects and where one is missing."""
    held = series.to_list()
    null = series.is_null().to_numpy()
    gone = [bool(flag) or (isinstance(value, float) and value != value) for value, flag in zip(held, null, strict=True)]
    odd = np.where(gone, "missing", "").astype(object)
    values = np.empty(len(held), dtype=object)
    values[:] = held
    return values, odd


def _coded(values: NDArray[Any], name: str) -> tuple[Array, tuple[str, ...]]:
    """Return codes from 0 and the levels: numbers by size, other values by name."""
    found = set(values.tolist())
    numeric = all(isinstance(value, int | float | np.number) for value in found)
    levels = sorted(found) if numeric else sorted(found, key=str)
    if len(levels) > MOST_LEVELS:
        message = (
            f"column {name!r} has {len(levels)} levels; expected at most {MOST_LEVELS}: cut it into classes, or merge "
            "rare ones"
        )
        raise ValueError(message)
    if len(levels) < 2:
        message = f"column {name!r} has the one level {levels[0]!r}; expected at least two: leave it out"
        raise ValueError(message)
    place = {value: code for code, value in enumerate(levels)}
    codes = np.fromiter((place[value] for value in values), dtype=np.float64, count=len(values))
    return codes, tuple(str(value) for value in levels)


def empty_cells(columns: Columns, rows: NDArray[np.bool_]) -> str:
    """Return what of the levels, or else of their pairs, does not occur in some rows; '' if all do."""
    codes = columns.values[rows].astype(np.int64)
    named = [*zip(columns.names, columns.levels, strict=True)]
    lost = [
        f"{name} = {levels[k]}"
        for j, (name, levels) in enumerate(named)
        for k in np.flatnonzero(np.bincount(codes[:, j], minlength=len(levels)) == 0)
    ]
    if not lost:
        for i, j in combinations(range(len(named)), 2):
            (first, left), (second, right) = named[i], named[j]
            table = np.bincount(codes[:, i] * len(right) + codes[:, j], minlength=len(left) * len(right))
            lost += [
                f"{first} = {left[k // len(right)]} with {second} = {right[k % len(right)]}"
                for k in np.flatnonzero(table == 0)
            ]
    if not lost:
        return ""
    more = f" and {len(lost) - MOST_NAMED} more" if len(lost) > MOST_NAMED else ""
    return f"no row has {', '.join(lost[:MOST_NAMED])}{more}"
