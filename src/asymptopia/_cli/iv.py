"""``asymptopia iv``: information value of every column against a binary target."""

from __future__ import annotations

import argparse

from asymptopia._cli import UserError
from asymptopia._cli.screening import add_options, column_list, show
from asymptopia._cli.tables import DATASETS, load_dataset, read_csv


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("data", nargs="?", metavar="CSV", help="table with a header, one row a case")
    parser.add_argument("--target", metavar="COLUMN", help="binary outcome")
    parser.add_argument("--event", metavar="RULE", help="what makes a row an event (bad): '> 0', '== 2', 'default'")
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Screen the columns."""
    from asymptopia.theory.scorecard.data import iv_screen_frame

    if (options.data is None) == (options.dataset is None):
        message = "give either a CSV file or --dataset NAME"
        raise UserError(message)
    target, event = options.target, options.event
    if options.dataset is not None:
        bundled = DATASETS[options.dataset]
        data = load_dataset(options.dataset)
        if target is None:
            target, event = bundled.target, event or bundled.event
    else:
        if target is None:
            message = "--target COLUMN is required with a CSV file"
            raise UserError(message)
        data = read_csv(options.data)
    try:
        screen = iv_screen_frame(
            data,
            target,
            event=event,
            columns=column_list(options.columns),
            bins=options.bins,
            adjust=options.adjust,
        )
    except (ValueError, TypeError) as error:
        raise UserError(str(error)) from error
    return show(screen, options)
