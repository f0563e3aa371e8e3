"""The columns that the WoE encoder reads: from an array or a data frame of any library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.encoder_columns import EncodedColumn


@dataclass(frozen=True, slots=True)
class Values:
    """One column: float64 with NaN where missing, or a sequence of levels with None where missing."""

    name: str
    data: NDArray[Any] | Sequence[Any]
    numeric: bool

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: NDArray[np.bool_]) -> Values:
        """Return the column of the rows where `rows` is True."""
        if isinstance(self.data, np.ndarray):
            return Values(self.name, self.data[rows], self.numeric)
        return Values(self.name, list(compress(self.data, rows)), self.numeric)

    def like(self, table: EncodedColumn) -> NDArray[Any] | Sequence[Any]:
        """Return the values as `table` knows them.

        Raises
        ------
        ValueError
            If numbers meet a column of categories or the other way round.
        """
        if self.numeric == table.numeric:
            return self.data
        if self.numeric and np.isnan(np.asarray(self.data)).all():
            return [None] * len(self)
        if table.numeric and all(value is None for value in self.data):
            return np.full(len(self), np.nan)
        if self.numeric and all(isinstance(level, int | float) for level in table.levels):
            # categories that are numbers
            return [None if math.isnan(value) else value for value in np.asarray(self.data).tolist()]
        was, now = ("numbers", "categories") if table.numeric else ("categories", "numbers")
        message = f"column {table.name!r} held {was} in fit and holds {now} now; convert it first"
        raise ValueError(message)


def columns(estimator: Any, X: Any, *, reset: bool) -> list[Values]:
    """Return the columns of `X`; the checks of scikit-learn set or compare their number and names.

    Raises
    ------
    TypeError, ValueError
        If `X` is no table of numbers and categories, holds an infinity, or has other columns than in the fit.
    """
    from sklearn.utils.validation import validate_data

    frame = _frame(X)
    if frame is not None:
        validate_data(estimator, X=X, reset=reset, skip_check_array=True)
        if len(frame) == 0 or len(frame.columns) == 0:
            message = (
                f"Found array with {len(frame)} sample(s) and {len(frame.columns)} feature(s) (shape={frame.shape}) "
                "while a minimum of 1 is required."
            )
            raise ValueError(message)
        # by position: the names of pandas need not be strings
        return [_series(str(name), frame[:, j]) for j, name in enumerate(frame.columns)]
    array = validate_data(estimator, X=X, reset=reset, dtype=None, ensure_all_finite="allow-nan", estimator=estimator)
    if array.dtype.kind in "biuf":
        # columns one after the other in memory: each is read several times
        numbers = np.asfortranarray(array, dtype=np.float64)
        return [Values(f"x{j}", numbers[:, j], numeric=True) for j in range(numbers.shape[1])]
    if not hasattr(X, "dtype") and array.dtype.kind in "US":
        # a list that mixes numbers and strings
        array = np.array(X, dtype=object)
    if array.dtype.kind in "US":
        return [Values(f"x{j}", array[:, j].astype(str).tolist(), numeric=False) for j in range(array.shape[1])]
    return [_objects(f"x{j}", array[:, j]) for j in range(array.shape[1])]


def _frame(X: Any) -> Any:
    """Return the eager narwhals frame of `X`, None if it is no data frame."""
    if isinstance(X, np.ndarray | list | tuple) or not hasattr(X, "columns"):
        return None
    import narwhals as nw

    try:
        return nw.from_native(X, eager_only=True)
    except TypeError:
        return None


def _series(name: str, series: Any) -> Values:
    import narwhals as nw

    kind = series.dtype
    if kind.is_numeric() or kind == nw.Boolean:
        numbers = series.cast(nw.Float64).to_numpy().astype(np.float64, copy=False)
        return Values(name, _finite(name, numbers), numeric=True)
    if kind.is_temporal() or kind.is_nested() or kind == nw.Binary:
        message = f"column {name!r} has dtype {kind}; expected numbers, text or categories: convert it first"
        raise ValueError(message)
    if kind in {nw.Categorical, nw.Enum}:
        native: Any = getattr(series.to_native(), "cat", None)
        if hasattr(native, "codes"):
            # pandas keeps the positions of the categories; -1, missing, takes the last entry
            known: NDArray[Any] = np.array([*native.categories.tolist(), None], dtype=object)
            return Values(name, known[native.codes.to_numpy()], numeric=False)
    if kind == nw.Object:
        return _objects(name, series.to_numpy())
    if kind in {nw.Categorical, nw.Enum}:
        series = series.cast(nw.String)
    levels: Any = series.to_list()
    if series.null_count():
        # the sign of a missing value differs between libraries
        levels = np.array(levels, dtype=object)
        np.putmask(levels, series.is_null().to_numpy(), np.array(None, dtype=object))
    return Values(name, levels, numeric=False)


def _objects(name: str, values: NDArray[Any]) -> Values:
    """Return a column of Python objects: numbers if all are, levels if all are strings."""
    levels = _none(values.tolist())
    kinds = set(map(type, levels)) - {type(None)}
    if all(issubclass(kind, int | float | np.number | np.bool_) for kind in kinds):
        numbers = np.array([np.nan if value is None else value for value in levels], dtype=np.float64)
        return Values(name, _finite(name, numbers), numeric=True)
    if not all(issubclass(kind, str) for kind in kinds):
        held = ", ".join(sorted(kind.__name__ for kind in kinds))
        message = f"column {name!r}: each argument must be uniformly a string or a number; it holds {held}"
        raise TypeError(message)
    return Values(name, levels, numeric=False)


def _none(levels: list[Any]) -> list[Any]:
    """Return `levels` with None for every value that differs from itself or is a missing value of pandas."""
    odd = {kind for kind in set(map(type, levels)) if not issubclass(kind, str | int | None)}
    if not odd:
        return levels
    return [None if type(value) in odd and _missing(value) else value for value in levels]


def _missing(value: Any) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def _finite(name: str, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    # one pass without a temporary array: a sum of finite numbers may overflow, then look closer
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(numbers.sum())
    if not math.isfinite(total) and np.isinf(numbers).any():
        message = f"Input X contains infinity in column {name!r}; expected finite numbers, NaN where missing"
        raise ValueError(message)
    return numbers
