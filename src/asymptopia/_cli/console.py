"""What the commands print: text, tables and JSON files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from asymptopia._cli import UserError

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 200


def console(stream: TextIO | None = None) -> Console:
    """Return a console on `stream` (standard output if None); pipes are not folded to 80 columns."""
    from rich.console import Console

    stream = sys.stdout if stream is None else stream
    return Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = (), title: str = "") -> Any:
    """Return a rich table; the columns named in `right` are aligned right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    numeric = set(right)
    for column in columns:
        made.add_column(column, justify="right" if column in numeric else "left", no_wrap=column in numeric)
    for row in rows:
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
