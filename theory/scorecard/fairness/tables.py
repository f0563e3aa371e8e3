"""Checks of the count tables of all features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import choice, fail
from asymptopia.theory.scorecard.shares import whole_counts

Table = NDArray[np.int64]
TRENDS: dict[str | None, tuple[int, ...]] = {None: (0,), "ascending": (1,), "descending": (-1,), "auto": (1, -1)}


def feature_tables(name: str, value: Any, names: Sequence[str] | None = None) -> tuple[tuple[str, ...], list[Table]]:
    """Return the names and the tables, each of whole counts of shape ``(K, 2)``.

    Raises
    ------
    TypeError, ValueError
        If a table has another shape or holds anything but whole counts, or a column is all zero.
    """
    if isinstance(value, Mapping):
        if names is not None:
            message = f"names is given, and {name} is a mapping: its keys are the names; leave names out"
            raise ValueError(message)
        labels = tuple(value)
        for label in labels:
            if not isinstance(label, str):
                message = f"{name} has the key {label!r} of type {type(label).__name__}; expected names, strings"
                raise TypeError(message)
        parts = list(value.values())
    else:
        parts = [value] if _is_table(name, value) else list(value)
        labels = tuple(f"feature {f}" for f in range(len(parts))) if names is None else _labels(names, len(parts))
    if not parts:
        raise fail(name, value, "the table of at least one feature")
    return labels, [_table(f"{name}[{label!r}]", part) for label, part in zip(labels, parts, strict=True)]


def matching_tables(name: str, value: Any, names: tuple[str, ...], like: Sequence[Table], mapped: bool) -> list[Table]:
    """Return the tables of `value` in the order of `names`, each with as many prebins as its entry of `like`."""
    if isinstance(value, Mapping) != mapped:
        kinds = ("a mapping", "a sequence of tables")
        message = f"{name} is {kinds[mapped]} and target is {kinds[not mapped]}; give both in the same form"
        raise TypeError(message)
    if isinstance(value, Mapping):
        if set(value) != set(names):
            odd = sorted(map(repr, set(value) ^ set(names)))
            message = f"{name} and target differ in the features {', '.join(odd)}; expected the same keys"
            raise ValueError(message)
        value = {label: value[label] for label in names}
    _, tables = feature_tables(name, value)
    if len(tables) != len(names):
        message = f"{name} has {len(tables)} tables and target has {len(names)}; expected one a feature"
        raise ValueError(message)
    for label, table, other in zip(names, tables, like, strict=True):
        if table.shape != other.shape:
            message = (
                f"{name}[{label!r}] has shape {table.shape} and target[{label!r}] has shape {other.shape}; expected "
                "the same prebins in both"
            )
            raise ValueError(message)
    return tables


def trend_signs(trend: Any, names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Return the directions to be tried for each feature: 1 ascending, -1 descending, 0 free."""
    if isinstance(trend, Mapping):
        unknown = [label for label in trend if label not in names]
        if unknown:
            raise fail("trend", unknown[0], f"features among {', '.join(map(repr, names))}")
        return [_signs(f"trend[{label!r}]", trend.get(label)) for label in names]
    return [_signs("trend", trend)] * len(names)


def _signs(name: str, value: Any) -> tuple[int, ...]:
    if value is None:
        return TRENDS[None]
    return TRENDS[choice(name, value, ("ascending", "descending", "auto"))]


def _is_table(name: str, value: Any) -> bool:
    """Return True if `value` is one table rather than several."""
    if isinstance(value, np.ndarray):
        if value.ndim not in {2, 3}:
            message = f"{name} has shape {value.shape}; expected (prebins, 2) or (features, prebins, 2)"
            raise ValueError(message)
        return value.ndim == 2
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        message = f"{name} is of type {type(value).__name__}; expected a mapping or a sequence of (prebins, 2) tables"
        raise TypeError(message)
    return bool(len(value)) and np.ndim(value[0]) == 1


def _labels(names: Sequence[Any], count: int) -> tuple[str, ...]:
    labels = tuple(names) if not isinstance(names, str) else (names,)
    for label in labels:
        if not isinstance(label, str):
            message = f"names holds {label!r} of type {type(label).__name__}; expected strings"
            raise TypeError(message)
    if len(labels) != count or len(set(labels)) != count:
        raise fail("names", labels, f"{count} different names, one a feature")
    return labels


def _table(name: str, value: Any) -> Table:
    table = np.asarray(value)
    if table.ndim != 2 or table.shape[1] != 2:
        message = f"{name} has shape {table.shape}; expected (prebins, 2), the counts of both classes in each prebin"
        raise ValueError(message)
    columns = [whole_counts(f"{name}[:, {side}]", table[:, side]) for side in (0, 1)]
    return np.stack(columns, axis=1).astype(np.int64)
