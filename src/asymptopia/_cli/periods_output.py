"""What ``asymptopia psi --by`` prints and writes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
from asymptopia._cli.periods import Periods, tests
from asymptopia._cli.screening import check_detail, plain, save_figure
from asymptopia._cli.sheet import shown_name

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.monitoring import MonitorResult


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
