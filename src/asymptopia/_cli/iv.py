"""``asymptopia iv``: information value of every column against a binary target."""

from __future__ import annotations

import argparse
from pathlib import Path

from asymptopia._cli import UserError, optimal
from asymptopia._cli.screening import add_options, check_columns, check_options, column_list, show
from asymptopia._cli.tables import DATASETS, load_dataset, read_csv


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("data", nargs="?", metavar="CSV", help="table with a header, one row a case")
    parser.add_argument("--target", metavar="COLUMN", help="binary outcome")
    parser.add_argument("--event", metavar="RULE", help="what makes a row an event (bad): '> 0', '== 2', 'default'")
    optimal.add_options(parser)
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Screen the columns."""
    if (options.data is None) == (options.dataset is None):
        message = "give either a CSV file or --dataset NAME"
        raise UserError(message)
    if options.dataset is None and options.target is None:
        message = "--target COLUMN is required with a CSV file"
        raise UserError(message)
    names = column_list(options.columns)
    # fills in the defaults, so that the report shows them
    optimal.check_options(options)
    check_options(options)

    from asymptopia._cli.sheet import sheet
    from asymptopia.theory.scorecard.data import iv_screen_frame

    target, event = options.target, options.event
    if options.dataset is not None:
        data = load_dataset(options.dataset)
        if target is None:
            target, event = DATASETS[options.dataset].target, event or DATASETS[options.dataset].event
    else:
        data = read_csv(options.data)
    check_columns(options, data, "", ("target", "weights", "clusters"))
    try:
        if options.optimal:
            found = optimal.optimal_sheet(data, target, event, names, options)
        else:
            screen = iv_screen_frame(
                data,
                target,
                event=event,
                columns=names,
                bins=options.bins,
                adjust=options.adjust,
                weights=options.weights,
                clusters=options.clusters,
            )
            found = sheet(screen, level=options.level, margin=options.margin)
    except (ValueError, TypeError) as error:
        raise UserError(str(error)) from error
    options.about = {
        "data": Path(options.data).name if options.dataset is None else f"{options.dataset}, {_about(options.dataset)}",
        "target": target + (f", event: {event}" if event else ", event: 1"),
    }
    return show(found, options)


def _about(name: str) -> str:
    return DATASETS[name].about
