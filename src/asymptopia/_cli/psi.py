"""``asymptopia psi``: population stability of every column between two tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from asymptopia._cli import UserError
from asymptopia._cli.screening import add_options, check_columns, check_options, column_list, show
from asymptopia._cli.tables import DATASETS, load_dataset, read_csv


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("reference", nargs="?", metavar="REFERENCE_CSV", help="table that the score was built on")
    parser.add_argument("current", nargs="?", metavar="CURRENT_CSV", help="table to compare with it")
    parser.add_argument(
        "--split",
        metavar="RULE",
        help="with one table: rows that meet the rule are current, the rest the reference, as 'year >= 2024'",
    )
    parser.add_argument(
        "--by", metavar="COLUMN", help="compare each period in this column of the current rows by itself, as month"
    )
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Compare the columns."""
    names = column_list(options.columns)
    check_options(options)
    for name in ("weights", "clusters"):
        if options.by is not None and getattr(options, name) is not None:
            message = f"--{name} does not go with --by, which counts independent rows: drop one"
            raise UserError(message)
    reference, current = _tables(options)
    options.about = {"reference": _source(options, "reference"), "current": _source(options, "current")}
    _check_tables(reference, current, options)
    try:
        if options.by is not None:
            from asymptopia._cli.periods import monitor
            from asymptopia._cli.periods_output import show_periods

            return show_periods(monitor(reference, current, names, options), options)

        from asymptopia._cli.sheet import sheet
        from asymptopia.theory.scorecard.data import psi_screen_frame

        screen = psi_screen_frame(
            current,
            reference,
            columns=names,
            bins=options.bins,
            adjust=options.adjust,
            weights=options.weights,
            clusters=options.clusters,
        )
        found = sheet(screen, level=options.level, margin=options.margin)
    except (ValueError, TypeError) as error:
        raise UserError(str(error)) from error
    return show(found, options)


def _check_tables(reference: Any, current: Any, options: argparse.Namespace) -> None:
    """Refuse columns that a table lacks; that of the periods is one of the current table only."""
    check_columns(options, reference, f" in {options.about['reference']}", ("weights", "clusters"))
    check_columns(options, current, f" in {options.about['current']}", ("weights", "clusters", "by"))
    both = [set(frame.columns) - {options.by} for frame in (reference, current)]
    odd = sorted(map(str, both[0] ^ both[1]))
    if odd and options.columns is None:
        message = f"only one of the tables has {', '.join(map(repr, odd))}; name the columns to compare with --columns"
        raise UserError(message)


def _source(options: argparse.Namespace, side: str) -> str:
    """Return where the rows come from, without folders."""
    if options.current is not None:
        return Path(getattr(options, side)).name
    rule = options.split or DATASETS[options.dataset].split
    name = Path(options.reference).name if options.dataset is None else options.dataset
    return f"{name}, rows {'with' if side == 'current' else 'without'} {rule}"


def _tables(options: argparse.Namespace) -> tuple[Any, Any]:
    if options.dataset is not None:
        if options.reference is not None:
            message = "give either CSV files or --dataset NAME, not both"
            raise UserError(message)
        return _split(load_dataset(options.dataset), options.split or DATASETS[options.dataset].split, options.by)
    if options.reference is None:
        message = "give REFERENCE_CSV and CURRENT_CSV, or one table with --split, or --dataset NAME"
        raise UserError(message)
    if options.current is None:
        if options.split is None:
            message = "give CURRENT_CSV too, or --split RULE to cut one table in two"
            raise UserError(message)
        return _split(read_csv(options.reference), options.split, options.by)
    if options.split is not None:
        message = "--split cuts one table in two; two were given"
        raise UserError(message)
    return read_csv(options.reference), read_csv(options.current)


def _split(frame: Any, rule: str, by: str | None) -> tuple[Any, Any]:
    """Return the rows that do not meet the rule, and those that do, without the column that it speaks of.

    The current rows keep it if it is also the column of periods.
    """
    from asymptopia.theory.scorecard.coding import columns_of
    from asymptopia.theory.scorecard.data import events

    name = max((column for column in frame.columns if rule.startswith(column)), key=len, default=None)
    if name is None:
        message = f"--split {rule!r} starts with no column; the columns are {', '.join(frame.columns)}"
        raise UserError(message)
    try:
        (column,) = columns_of(frame, [name])
        hit = events(column, rule.removeprefix(name)).astype(bool)
    except ValueError as error:
        message = f"--split: {error}"
        raise UserError(message) from error
    rest = frame.drop(columns=[name])
    return rest[~hit], frame[hit] if name == by else rest[hit]
