"""``asymptopia psi --by``: every period of the current rows against the reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from asymptopia._cli import UserError
from asymptopia._cli.console import (
    adjusted_pvalue,
    console,
    finite,
    number,
    pvalue,
    show_table,
    table,
    write_json,
    write_text,
)
from asymptopia._cli.screening import check_detail, plain, save_figure
from asymptopia._cli.sheet import shown_name

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


def show_periods(found: Periods, options: argparse.Namespace) -> int:
    """Print the table, then write what was asked for."""
    check_detail(options, [item.name for item in found.columns])
    if options.json:
        write_json(options.json, _plain(found))
    if options.html:
        from asymptopia._cli.html_periods import page

        write_text(options.html, page(found, options))
    if "-" not in {options.json, options.html}:
        _print(found, options)
    if options.plot:

        def draw(figure: Any) -> None:
            for item, ax in zip(found.columns, figure.subplots(len(found.columns), squeeze=False)[:, 0], strict=True):
                replace(item.result, names=tuple(map(shown_name, found.names))).plot(ax)
                ax.set_title(shown_name(item.name), fontsize="medium", loc="right")

        save_figure(options.plot, 8.0, 3.6 * len(found.columns), draw)
    return 0


def _print(found: Periods, options: argparse.Namespace) -> None:
    out = console()
    heads = ["column", found.by, "rows", "PSI", "bias", "SE", f"{100 * found.level:g} % interval"]
    heads += ["p", f"p ({found.adjustment})"]
    if found.margin is not None:
        heads += [f"p (PSI {sign} {found.margin:g})" for sign in "><"]
    rows = [cells for item in found.columns for cells in _rows(item.result, found.sizes, item.name)]
    heads = [plain(head) for head in heads]
    show_table(out, table((*heads, "verdict", "status"), rows, right=heads[2:]))
    out.print(
        f"p ({found.adjustment}) and the verdicts: adjusted for {len(found.columns)} columns and {len(found.names)} "
        f"periods together, judged at {found.alpha:g}.",
        markup=False,
    )
    for status in dict.fromkeys(status for item in found.columns for status in item.result.statuses):
        if not status.ok:
            out.print(str(status), markup=False)
    if options.detail is not None:
        item = next(item for item in found.columns if item.name == options.detail)
        shares = [("reference", item.result.reference), *zip(found.names, item.result.table, strict=True)]
        body = [(plain(name), *(number(float(value)) for value in counts / counts.sum())) for name, counts in shares]
        labels = [plain(label) for label in item.labels]
        show_table(out, table((plain(found.by), *labels), body, right=labels, title=f"{plain(item.name)}: shares"))


def _rows(result: MonitorResult, sizes: Sequence[int], column: str) -> Iterator[list[str]]:
    for i, name in enumerate(result.names):
        cells = [plain(column), plain(name), str(sizes[i])]
        cells += [number(float(values[i])) for values in (result.estimate, result.bias, result.se)]
        cells.append(rf"\[{number(float(result.ci.low[i]))}, {number(float(result.ci.high[i]))}]")
        cells += [pvalue(float(result.pvalue[i]), float(result.log_pvalue[i]))]
        cells += [adjusted_pvalue(float(values[i])) for values in tests(result)]
        yield [*cells, result.verdicts[i], result.statuses[i].name]


def tests(result: MonitorResult) -> list[NDArray[np.float64]]:
    """Return the adjusted p-values that there are."""
    return [values for values in (result.adjusted, result.shift_adjusted, result.stable_adjusted) if values is not None]


def _plain(found: Periods) -> dict[str, Any]:
    names = {
        name: name for name in ("estimate", "estimate_smoothed", "bias", "se", "statistic", "pvalue", "log_pvalue")
    }
    names["pvalue_adjusted"] = "adjusted"
    if found.margin is not None:
        names |= {"pvalue_above_margin_adjusted": "shift_adjusted", "pvalue_below_margin_adjusted": "stable_adjusted"}
    columns = []
    for item in found.columns:
        result = item.result
        columns.append(
            {
                "column": item.name,
                "cells": list(item.labels),
                "reference": result.reference.tolist(),
                "periods": [
                    {
                        "period": name,
                        "counts": result.table[i].tolist(),
                        **{key: finite(float(getattr(result, field)[i])) for key, field in names.items()},
                        "dof": int(result.dof[i]),
                        "interval": [finite(float(result.ci.low[i])), finite(float(result.ci.high[i]))],
                        "verdict": result.verdicts[i],
                        "status": result.statuses[i].name,
                    }
                    for i, name in enumerate(result.names)
                ],
            }
        )
    return {
        "schema": 1,
        "quantity": "PSI",
        "by": found.by,
        "level": found.level,
        "adjustment": found.adjustment,
        "margin": found.margin,
        "columns": columns,
    }
