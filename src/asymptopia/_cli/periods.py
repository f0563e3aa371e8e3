"""``asymptopia psi --by``: every period of the current rows against the reference."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from asymptopia._cli import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from asymptopia.theory.scorecard.coding import Column
    from asymptopia.theory.scorecard.monitoring import MonitorResult

MOST_PERIODS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One column over the periods."""

    name: str
    labels: tuple[str, ...]
    result: MonitorResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """All columns over the periods, the largest smoothed estimate first.

    The p-values are adjusted for all columns and periods together, and so are the verdicts of the results.
    """

    by: str
    level: float
    alpha: float
    adjustment: str
    margin: float | None
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    reference: int
    columns: tuple[Followed, ...]


def monitor(reference: Any, current: Any, names: Sequence[str] | None, options: argparse.Namespace) -> Periods:
    """Return the index of every column and period.

    Raises
    ------
    UserError
        If a period is missing in a row, or there are too many.
    ValueError
        If a column is numeric in one table and text in the other.
    """
    import numpy as np

    from asymptopia.theory.scorecard.coding import cells, columns_of
    from asymptopia.theory.scorecard.monitoring import drift_monitor

    (period,) = columns_of(current, [options.by])
    periods, code = _periods(period)
    base, now = ([item for item in columns_of(part, names) if item.name != options.by] for part in (reference, current))
    if not base:
        message = f"--by: there is no column to compare but that of the periods, {options.by!r}"
        raise UserError(message)
    by_name = {item.name: item for item in now}
    alpha = round(1 - options.level, 12)
    found = []
    for column in base:
        coded = cells(column, by_name[column.name], bins=options.bins)
        width = len(coded.labels)
        counts = np.bincount(code * width + coded.codes[1], minlength=width * len(periods)).reshape(-1, width)
        result = drift_monitor(
            np.bincount(coded.codes[0], minlength=width),
            counts,
            alpha=alpha / len(base),
            adjust=None,
            margin=options.margin,
            names=periods,
            level=options.level,
        )
        found.append(Followed(name=column.name, labels=coded.labels, result=result))
    found = _adjusted(found, options.adjust, alpha)
    found.sort(key=lambda item: -float(np.nanmax(item.result.estimate_smoothed)))
    return Periods(
        by=options.by,
        level=options.level,
        alpha=alpha,
        adjustment=options.adjust,
        margin=options.margin,
        names=periods,
        sizes=tuple(np.bincount(code, minlength=len(periods)).tolist()),
        reference=len(base[0].values),
        columns=tuple(found),
    )


def _periods(column: Column) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the periods in order, and the position of each row's."""
    import numpy as np

    missing = int(column.missing.sum())
    if missing:
        message = f"--by: column {column.name!r} is missing in {missing} rows; drop those rows or fill it first"
        raise UserError(message)
    values, code = np.unique(column.values if column.numeric else column.values.astype(str), return_inverse=True)
    if len(values) > MOST_PERIODS:
        message = (
            f"--by: column {column.name!r} holds {len(values)} values; expected periods such as months, at most "
            f"{MOST_PERIODS}"
        )
        raise UserError(message)
    return tuple(f"{value:.12g}" if column.numeric else str(value) for value in values), code.astype(np.int64)


def _adjusted(found: Sequence[Followed], method: str, alpha: float) -> list[Followed]:
    """Return the results with p-values adjusted for all columns and periods, and verdicts from them."""
    import numpy as np

    from asymptopia.theory.scorecard.adjustment import adjust_pvalues
    from asymptopia.theory.scorecard.monitoring import DRIFT, OPEN, STABLE

    def split(name: str) -> list[NDArray[np.float64]]:
        values = np.concatenate([getattr(item.result, name) for item in found])
        return np.split(adjust_pvalues(values, method), len(found))

    fields = {"adjusted": split("pvalue")}
    if found[0].result.margin is not None:
        fields |= {name: split(name) for name in ("shift_adjusted", "stable_adjusted")}
    done = []
    for i, item in enumerate(found):
        new: dict[str, Any] = {name: parts[i] for name, parts in fields.items()}
        shift = new.get("shift_adjusted", new["adjusted"])
        stable = new.get("stable_adjusted", np.full(shift.size, np.nan))
        verdicts = [DRIFT if a <= alpha else STABLE if b <= alpha else OPEN for a, b in zip(shift, stable, strict=True)]
        result = replace(item.result, adjustment=method, alpha=alpha, verdicts=tuple(verdicts), **new)
        done.append(replace(item, result=result))
    return done


def tests(result: MonitorResult) -> list[NDArray[np.float64]]:
    """Return the adjusted p-values that there are."""
    return [values for values in (result.adjusted, result.shift_adjusted, result.stable_adjusted) if values is not None]
