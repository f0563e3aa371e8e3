"""What the commands that end in a report share: options, files, the text table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from asymptopia._cli import UserError
from asymptopia._cli.console import console, show_table, table, write_text
from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.rows import COLUMNS, NUMERIC, cells

if TYPE_CHECKING:
    from rich.console import Console

FORMATS = {
    "json": "write the report as JSON (- for standard output)",
    "html": "write the report as one HTML page with a figure for each target",
    "junit": "write the report as JUnit XML",
}
STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}


def configure(parser: argparse.ArgumentParser, formats: Iterable[str] = FORMATS) -> None:
    """Add an option for each format, and ``--quiet``."""
    for name in formats:
        parser.add_argument(f"--{name}", metavar="FILE", help=FORMATS[name])
    parser.add_argument("--quiet", action="store_true", help="print the closing line only")


def check_files(options: argparse.Namespace) -> None:
    """Refuse what cannot be written, before anything is computed.

    Raises
    ------
    UserError
        If a folder is missing or not writable, or standard output is asked for twice.
    """
    asked = [path for name in FORMATS if (path := getattr(options, name, None))]
    if asked.count("-") > 1:
        message = "standard output (-) can take one of --json, --html and --junit"
        raise UserError(message)
    for path in asked:
        folder = Path(path).parent
        problem = (
            "Is a directory"
            if Path(path).is_dir()
            else "No such folder"
            if not folder.is_dir()
            else "Permission denied"
            if not os.access(path if Path(path).exists() else folder, os.W_OK)
            else ""
        )
        if path != "-" and problem:
            message = f"cannot write {path}: {problem}"
            raise UserError(message)


def show(report: Report, options: argparse.Namespace) -> int:
    """Write and print a report; return its exit status."""
    makers = {"json": lambda: report.to_json() + "\n", "html": report.to_html, "junit": report.to_junit}
    asked = {name: path for name in FORMATS if (path := getattr(options, name, None))}
    failed: UserError | None = None
    for name, path in asked.items():
        try:
            write_text(path, makers[name]())
        except UserError as error:
            # a disk that fills up must not cost the table, nor the other files
            failed = failed or error
    # standard output belongs to the file that was asked for there
    print_table(report, console(sys.stderr if "-" in asked.values() else sys.stdout), quiet=options.quiet)
    if failed is not None:
        raise failed
    return report.exit_code


def print_table(report: Report, out: Console, *, quiet: bool = False) -> None:
    """Print the table, the reasons of what did not pass, and the closing line."""
    if not quiet:
        show_table(out, table(COLUMNS, [_row(entry) for entry in report.entries], right=NUMERIC))
        for entry in report.entries:
            if entry.reason:
                out.print(f"{entry.id}: {entry.status}: {entry.reason}", markup=False)
    out.print(report.summary(), markup=False)


def read_report(path: str) -> Report:
    """Return the report in a JSON file.

    Raises
    ------
    UserError
        If the file cannot be read or is no report.
    """
    try:
        return Report.from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise UserError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"cannot read {path}: {error}"
        raise UserError(message) from error


def _row(entry: Entry) -> tuple[str, ...]:
    *texts, result = (cell.replace("[", r"\[") for cell in cells(entry))
    style = STYLES[entry.status]
    return (*texts, f"[{style}]{result}[/{style}]")
