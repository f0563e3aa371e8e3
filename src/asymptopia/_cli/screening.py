"""What ``iv`` and ``psi`` share: options, the table and the files they write."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from asymptopia._cli import UserError
from asymptopia._cli.console import (
    adjusted_pvalue,
    check_files,
    console,
    finite,
    number,
    pvalue,
    show_table,
    table,
    write_json,
    write_text,
)
from asymptopia._cli.repeat import OUTPUTS
from asymptopia._cli.tables import add_dataset_option

if TYPE_CHECKING:
    from asymptopia._cli.sheet import Row, Sheet

"""What does not change the numbers."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of both commands."""
    add_dataset_option(parser)
    parser.add_argument("--columns", metavar="A,B,...", help="columns to look at (all)")
    parser.add_argument("--bins", type=int, default=10, help="quantile bins of a numeric column (10)")
    parser.add_argument("--weights", metavar="COLUMN", help="sampling weight of each row, >= 0")
    parser.add_argument(
        "--clusters", metavar="COLUMN", help="rows with the same value may depend on one another, such as one account's"
    )
    parser.add_argument("--level", type=float, default=0.95, help="level of the intervals (0.95)")
    parser.add_argument(
        "--margin", type=float, metavar="X", help="test against this value, too: is it material (> X), or below X?"
    )
    parser.add_argument(
        "--adjust",
        choices=("holm", "bonferroni", "bh", "by"),
        default="holm",
        help="adjustment of the p-values for the number of columns (holm)",
    )
    parser.add_argument("--detail", metavar="COLUMN", help="print the cells of one column too")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON (- for standard output)")
    parser.add_argument("--html", metavar="FILE", help="write a report as one HTML page (- for standard output)")
    parser.add_argument("--date", metavar="TEXT", help="date to show in the HTML report (none)")
    parser.add_argument("--plot", metavar="FILE", help="draw the intervals to an image file (png, pdf, svg)")
    # the report shows the command, without what is at its default
    parser.set_defaults(default_of=parser.get_default)


def check_options(options: argparse.Namespace) -> None:
    """Refuse values out of range and files that cannot be written, before anything is read."""
    if not 0 < options.level < 1:
        message = f"--level is {options.level}; expected a number between 0 and 1, such as 0.95"
        raise UserError(message)
    if options.margin is not None and not 0 < options.margin < float("inf"):
        message = f"--margin is {options.margin}; expected a number above 0, such as 0.1"
        raise UserError(message)
    if options.bins < 2:
        message = f"--bins is {options.bins}; expected 2 or more"
        raise UserError(message)
    if options.date is not None and options.html is None:
        message = "--date is shown in the report: give --html FILE"
        raise UserError(message)
    if options.plot == "-":
        message = "--plot writes an image file; expected a name such as iv.png, not -"
        raise UserError(message)
    check_files(options, OUTPUTS)


def column_list(text: str | None) -> list[str] | None:
    """Return the names in a comma-separated list."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        message = f"--columns is {text!r}; expected names of columns, each once, separated by commas"
        raise UserError(message)
    return names


def check_columns(options: argparse.Namespace, frame: Any, where: str, names: Sequence[str]) -> None:
    """Refuse columns that the table does not have; `names` are the options that name one."""
    asked = [(name, getattr(options, name)) for name in names if getattr(options, name) is not None]
    asked += [("columns", column) for column in column_list(options.columns) or ()]
    for name, column in asked:
        if column not in frame.columns:
            message = f"--{name}: no column {column!r}{where}; the columns are {', '.join(map(str, frame.columns))}"
            raise UserError(message)


def check_detail(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse a column that is not there."""
    if options.detail is not None and options.detail not in names:
        message = f"--detail: no column {options.detail!r}; there are {', '.join(names)}"
        raise UserError(message)


def show(sheet: Sheet, options: argparse.Namespace) -> int:
    """Print the table, then write what was asked for."""
    check_detail(options, [row.name for row in sheet.rows])
    if options.json:
        write_json(options.json, _plain(sheet))
    if options.html:
        from asymptopia._cli.html_report import page

        write_text(options.html, page(sheet, options))
    # standard output belongs to the file that was asked for there
    if "-" not in {options.json, options.html}:
        _print(sheet, options)
    if options.plot:
        save_figure(options.plot, 7.5, 1.4 + 0.38 * len(sheet.rows), lambda figure: _draw(sheet, figure))
    return 0


def _print(sheet: Sheet, options: argparse.Namespace) -> None:
    out = console()
    heads = ["column", "bins", sheet.quantity, "bias", "SE", f"{100 * sheet.level:g} % interval"]
    heads += [*(["test"] if sheet.chosen else []), "p", f"p ({sheet.adjustment})"]
    if sheet.margin is not None:
        heads += [f"p ({sheet.quantity} {sign} {sheet.margin:g})" for sign in "><"] + ["material?"]
    left = ("column", "test", "material?", "status")
    right = [head for head in heads if head not in left]
    show_table(out, table((*heads, "status"), [_cells(sheet, row) for row in sheet.rows], right=right))
    for row in sheet.rows:
        if not row.status.ok:
            out.print(f"{row.name}: {row.status}", markup=False)
    for remark in sheet.remarks():
        out.print(remark, markup=False)
    if options.detail is not None:
        _detail(next(row for row in sheet.rows if row.name == options.detail), out)


def _cells(sheet: Sheet, row: Row) -> list[str]:
    found, (low, high) = row.result, row.interval
    cells = [plain(row.name), str(found.bins), number(found.estimate), number(found.bias), number(found.se)]
    cells += [rf"\[{number(low)}, {number(high)}]", *([row.test] if sheet.chosen else [])]
    cells += [pvalue(row.pvalue, row.log_pvalue), adjusted_pvalue(row.adjusted)]
    if row.material is not None:
        against = row.material
        cells += [adjusted_pvalue(against.above_adjusted), adjusted_pvalue(against.below_adjusted), against.verdict]
    return [*cells, row.status.name]


def plain(text: str) -> str:
    """Return text in which the console sees no markup."""
    return text.replace("[", r"\[")


def _detail(row: Row, out: Any) -> None:
    columns = {key: list(values) for key, values in row.result._columns().items()}
    body = [[number(float(value)) for value in values] for values in columns.values()]
    rows = [(plain(label), *cells) for label, cells in zip(row.labels, zip(*body, strict=True), strict=True)]
    show_table(out, table(("cell", *columns), rows, right=tuple(columns), title=plain(row.name)))


def _plain(sheet: Sheet) -> dict[str, Any]:
    columns = []
    for row in sheet.rows:
        found = row.result
        item: dict[str, Any] = {
            "column": row.name,
            "bins": found.bins,
            "estimate": finite(found.estimate),
            "estimate_smoothed": finite(found.estimate_smoothed),
            "bias": finite(found.bias),
            "se": finite(found.se),
            "interval": [finite(end) for end in row.interval],
            "statistic": finite(found.statistic),
            "dof": found.dof,
            "test": row.test,
            "pvalue": finite(row.pvalue),
            "log_pvalue": finite(row.log_pvalue),
            "pvalue_adjusted": finite(row.adjusted),
            "status": row.status.name,
            "cells": list(row.labels),
        }
        if row.binning is not None:
            edges = row.binning.edges
            item |= {
                "edges": [] if edges is None else edges.tolist(),
                "trend": row.binning.trend,
                "repeats": row.binning.repeats,
            }
        if row.material is not None:
            against = row.material
            item |= {
                "pvalue_above_margin": finite(against.above),
                "pvalue_above_margin_adjusted": finite(against.above_adjusted),
                "pvalue_below_margin": finite(against.below),
                "pvalue_below_margin_adjusted": finite(against.below_adjusted),
                "material": against.verdict,
            }
        columns.append(item)
    return {
        "schema": 1,
        "quantity": sheet.quantity,
        "level": sheet.level,
        "adjustment": sheet.adjustment,
        "margin": sheet.margin,
        "columns": columns,
    }


def save_figure(path: str, width: float, height: float, draw: Callable[[Any], None]) -> None:
    """Write what `draw` draws on a figure of that size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        message = f"--plot: cannot write {path}: {error}"
        raise UserError(message) from error


def _draw(sheet: Sheet, figure: Any) -> None:
    from asymptopia._cli.sheet import Drawn
    from asymptopia.theory.scorecard.plots import plot_screen

    plot_screen(Drawn(sheet), figure.add_subplot(), level=sheet.level)  # type: ignore[arg-type]
