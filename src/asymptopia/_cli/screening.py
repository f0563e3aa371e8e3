"""What ``iv`` and ``psi`` share: options, the table and the files they write."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from asymptopia._cli import UserError
from asymptopia._cli.console import console, show_table, table, write_json
from asymptopia._cli.tables import add_dataset_option

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.data import Screen


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of both commands."""
    add_dataset_option(parser)
    parser.add_argument("--columns", metavar="A,B,...", help="columns to look at (all)")
    parser.add_argument("--bins", type=int, default=10, help="quantile bins of a numeric column (10)")
    parser.add_argument("--level", type=float, default=0.95, help="level of the intervals (0.95)")
    parser.add_argument(
        "--adjust",
        choices=("holm", "bonferroni", "bh", "by"),
        default="holm",
        help="adjustment of the p-values for the number of columns (holm)",
    )
    parser.add_argument("--detail", metavar="COLUMN", help="print the cells of one column too")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON (- for standard output)")
    parser.add_argument("--plot", metavar="FILE", help="draw the intervals to an image file (png, pdf, svg)")


def column_list(text: str | None) -> list[str] | None:
    """Return the names in a comma-separated list."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def show(screen: Screen, options: argparse.Namespace) -> int:
    """Print the table, then write what was asked for."""
    if not 0 < options.level < 1:
        message = f"--level is {options.level}; expected a number between 0 and 1"
        raise UserError(message)
    if options.detail is not None and options.detail not in screen.features:
        message = f"--detail: no column {options.detail!r}; there are {', '.join(screen.features)}"
        raise UserError(message)
    intervals = [result.confidence_interval(options.level) for result in screen.results]
    if options.json:
        write_json(options.json, _plain(screen, intervals, options.level))
    if options.json != "-":
        out = console()
        level = f"{100 * options.level:g} % interval"
        names = ("column", "bins", screen.quantity, "bias", "SE", level, "p", f"p ({screen.adjustment})", "status")
        rows = [_row(screen, i, intervals[i]) for i in screen.order()]
        show_table(out, table(names, rows, right=names[1:8]))
        for i in screen.order():
            if not screen.results[i].status.ok:
                out.print(f"{screen.features[i]}: {screen.results[i].status}", markup=False)
        if options.detail is not None:
            _detail(screen, options.detail, out)
    if options.plot:
        _draw(screen, options)
    return 0


def _row(screen: Screen, i: int, interval: tuple[float, float]) -> tuple[str, ...]:
    found = screen.results[i]
    return (
        screen.features[i].replace("[", r"\["),
        str(found.bins),
        _number(found.estimate),
        _number(found.bias),
        _number(found.se),
        rf"\[{_number(interval[0])}, {_number(interval[1])}]",
        _pvalue(found.pvalue, found.log_pvalue),
        _number(float(screen.adjusted[i]), 3),
        found.status.name,
    )


def _number(value: float, digits: int = 4) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}g}"


def _pvalue(value: float, log_value: float) -> str:
    if value > 0 or math.isnan(value):
        return _number(value, 3)
    return f"1e{log_value / math.log(10):.0f}"


def _detail(screen: Screen, feature: str, out: Any) -> None:
    labels = screen.labels[screen.features.index(feature)]
    columns = {key: list(values) for key, values in screen[feature]._columns().items()}
    body = [[_number(float(value)) for value in values] for values in columns.values()]
    rows = [(label.replace("[", r"\["), *cells) for label, cells in zip(labels, zip(*body, strict=True), strict=True)]
    show_table(out, table(("cell", *columns), rows, right=tuple(columns), title=feature))


def _plain(screen: Screen, intervals: list[Any], level: float) -> dict[str, Any]:
    def finite(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    columns = []
    for i in screen.order():
        found = screen.results[i]
        columns.append(
            {
                "column": screen.features[i],
                "bins": found.bins,
                "estimate": finite(found.estimate),
                "estimate_smoothed": finite(found.estimate_smoothed),
                "bias": finite(found.bias),
                "se": finite(found.se),
                "interval": [finite(end) for end in intervals[i]],
                "statistic": finite(found.statistic),
                "dof": found.dof,
                "pvalue": finite(found.pvalue),
                "log_pvalue": finite(found.log_pvalue),
                "pvalue_adjusted": finite(float(screen.adjusted[i])),
                "status": found.status.name,
                "cells": list(screen.labels[i]),
            }
        )
    return {
        "schema": 1,
        "quantity": screen.quantity,
        "level": level,
        "adjustment": screen.adjustment,
        "columns": columns,
    }


def _draw(screen: Screen, options: argparse.Namespace) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 1.4 + 0.38 * len(screen.features)), layout="constrained")
    FigureCanvasAgg(figure)
    screen.plot(figure.add_subplot(), level=options.level)
    try:
        figure.savefig(options.plot, dpi=150)
    except (OSError, ValueError) as error:
        message = f"cannot write {options.plot}: {error}"
        raise UserError(message) from error
