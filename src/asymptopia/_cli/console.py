"""What the commands print: text, tables and JSON files."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from asymptopia._cli import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_WIDTH = 200
WHOLE = 10_000
"""Columns in which any table fits."""
NAME = 24
"""Characters up to which a name is kept in one piece."""


def console(stream: TextIO | None = None) -> Console:
    """Return a console on `stream` (standard output if None); pipes are not folded to 80 columns."""
    from rich.console import Console

    stream = sys.stdout if stream is None else stream
    return Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False)


def show_table(out: Console, made: Table) -> None:
    """Print a table whole: a terminal too narrow for its numbers wraps the lines, and no digit is cut off."""
    narrowest = out.measure(made, options=out.options.update(width=WHOLE)).minimum
    out.print(made, width=max(out.width, narrowest), crop=False, soft_wrap=narrowest > out.width)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = (), title: str = ""
) -> Table:
    """Return a rich table; the columns named in `right` are aligned right and never narrower than their numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False, collapse_padding=True)
    numeric, body = set(right), [tuple(row) for row in rows]
    for i, column in enumerate(columns):
        longest = max(Text.from_markup(cell).cell_len for cell in (column, *(row[i] for row in body)))
        whole = column in numeric or longest <= NAME
        made.add_column(
            column,
            justify="right" if column in numeric else "left",
            no_wrap=whole,
            min_width=longest if whole else None,
            overflow="fold",
        )
    for row in body:
        made.add_row(*row)
    return made


def write_json(path: str, data: Any) -> None:
    """Write `data` as JSON to `path`, as `write_text` does."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def write_text(path: str, text: str) -> None:
    """Write `text` to `path`, or to standard output if it is ``-``.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise UserError(message) from error


def check_files(options: Any, names: Sequence[str]) -> None:
    """Refuse what cannot be written, before anything is computed.

    Raises
    ------
    UserError
        If a folder is missing or not writable, or standard output is asked for twice.
    """
    asked = {name: path for name in names if (path := getattr(options, name))}
    if sum(path == "-" for path in asked.values()) > 1:
        message = f"standard output (-) can take one of {' and '.join(f'--{name}' for name in asked)}"
        raise UserError(message)
    for name, path in asked.items():
        place = Path(path)
        problem = (
            "it is a folder"
            if place.is_dir()
            else "no such folder"
            if not place.parent.is_dir()
            else "permission denied"
            if not os.access(place if place.exists() else place.parent, os.W_OK)
            else ""
        )
        if path != "-" and problem:
            message = f"--{name}: cannot write {path}: {problem}"
            raise UserError(message)


def number(value: float, digits: int = 4) -> str:
    """Return a number for a table, a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}g}"


def pvalue(value: float, log_value: float) -> str:
    """Return a p-value for a table, from its logarithm where it underflows."""
    from asymptopia.theory.scorecard.hypotheses import format_pvalue

    return number(value, 3) if math.isnan(log_value) else format_pvalue(log_value)


def adjusted_pvalue(value: float) -> str:
    """Return an adjusted p-value for a table."""
    return "< 1e-300" if value == 0 else number(value, 3)


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, None for what is not finite."""
    return float(value) if math.isfinite(value) else None
