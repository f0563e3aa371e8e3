"""``asymptopia psi``: population stability of every column between two tables."""

from __future__ import annotations

import argparse
from typing import Any

from asymptopia._cli import UserError
from asymptopia._cli.screening import add_options, column_list, show
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
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Compare the columns."""
    from asymptopia.theory.scorecard.data import psi_screen_frame

    reference, current = _tables(options)
    try:
        screen = psi_screen_frame(
            current,
            reference,
            columns=column_list(options.columns),
            bins=options.bins,
            adjust=options.adjust,
        )
    except (ValueError, TypeError) as error:
        raise UserError(str(error)) from error
    return show(screen, options)


def _tables(options: argparse.Namespace) -> tuple[Any, Any]:
    if options.dataset is not None:
        if options.reference is not None:
            message = "give either CSV files or --dataset NAME, not both"
            raise UserError(message)
        return _split(load_dataset(options.dataset), options.split or DATASETS[options.dataset].split)
    if options.reference is None:
        message = "give REFERENCE_CSV and CURRENT_CSV, or one table with --split, or --dataset NAME"
        raise UserError(message)
    if options.current is None:
        if options.split is None:
            message = "give CURRENT_CSV too, or --split RULE to cut one table in two"
            raise UserError(message)
        return _split(read_csv(options.reference), options.split)
    if options.split is not None:
        message = "--split cuts one table in two; two were given"
        raise UserError(message)
    return read_csv(options.reference), read_csv(options.current)


def _split(frame: Any, rule: str) -> tuple[Any, Any]:
    """Return the rows that do not meet the rule, and those that do, without the column it speaks of."""
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
    return rest[~hit], rest[hit]
