"""``asymptopia iv --optimal``: numeric columns in the bins that maximise the information value."""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asymptopia._cli import UserError
from asymptopia._cli.sheet import PERMUTATION, Row, Sheet, make_sheet, sheet

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.coding import Column

TRENDS = ("auto", "ascending", "descending", "peak", "valley", "none")
PREBINS = 20
"""Quantiles that are searched: every bin holds about 5 % of the rows or more."""
DEFAULTS = {"max_bins": 5, "trend": "auto", "repeats": 999, "seed": 0}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--optimal",
        action="store_true",
        help=f"numeric columns: the bins of {PREBINS} quantiles with the largest value, and a permutation p-value that "
        "counts the search",
    )
    parser.add_argument("--max-bins", type=int, help=f"with --optimal: bins at most ({DEFAULTS['max_bins']})")
    parser.add_argument(
        "--trend",
        choices=TRENDS,
        help=f"with --optimal: trend of the event rate along the bins ({DEFAULTS['trend']}: ascending or descending)",
    )
    parser.add_argument("--repeats", type=int, help=f"with --optimal: permutations ({DEFAULTS['repeats']})")
    parser.add_argument("--seed", type=int, help=f"with --optimal: seed of the permutations ({DEFAULTS['seed']})")


def check_options(options: argparse.Namespace) -> None:
    """Refuse what does not go together, and fill in the defaults."""
    given = [name for name in DEFAULTS if getattr(options, name) is not None]
    if not options.optimal:
        if given:
            message = f"--{given[0].replace('_', '-')} needs --optimal"
            raise UserError(message)
        return
    for name in ("weights", "clusters"):
        if getattr(options, name) is not None:
            message = f"--{name} does not go with --optimal, whose permutations take independent rows: drop one"
            raise UserError(message)
    if options.margin is not None:
        message = "--margin does not go with --optimal: its test takes the bins as given before; drop one"
        raise UserError(message)
    for name in DEFAULTS:
        if getattr(options, name) is None:
            setattr(options, name, DEFAULTS[name])
    for name, least in (("max_bins", 2), ("repeats", 1), ("seed", 0)):
        if getattr(options, name) < least:
            message = f"--{name.replace('_', '-')} is {getattr(options, name)}; expected {least} or more"
            raise UserError(message)


def optimal_sheet(
    data: Any, target: str, event: str | None, names: Sequence[str] | None, options: argparse.Namespace
) -> Sheet:
    """Return the rows: numeric columns in chosen bins, the others with a cell for each value.

    Raises
    ------
    ValueError, TypeError
        As `iv_screen_frame` and `optimal_bins`.
    """
    from asymptopia.theory.scorecard.adjustment import adjust_pvalues
    from asymptopia.theory.scorecard.coding import columns_of
    from asymptopia.theory.scorecard.data import events, iv_screen_frame

    bad = events(columns_of(data, [target])[0], event)
    found = [column for column in columns_of(data, names) if column.name != target]
    ordered = [column for column in found if column.numeric and not column.missing.all()]
    taken = {column.name for column in ordered}
    others = [column.name for column in found if column.name not in taken]
    rows = list(_chosen(ordered, bad, options))
    if others or not found:
        screen = iv_screen_frame(data, target, event=event, columns=others or names, adjust=options.adjust)
        rows += sheet(screen, level=options.level).rows
    adjusted = adjust_pvalues([row.pvalue for row in rows], options.adjust).tolist()
    rows = [replace(row, adjusted=p) for row, p in zip(rows, adjusted, strict=True)]
    return make_sheet(rows, "IV", options.adjust, level=options.level, repeats=options.repeats)


def _chosen(columns: Sequence[Column], bad: Any, options: argparse.Namespace) -> Iterator[Row]:
    import numpy as np

    from asymptopia.theory.scorecard.binning import optimal_bins, prebin

    for column in columns:
        # by name: the p-value of a column does not depend on which others are looked at
        seed = np.random.SeedSequence([options.seed, zlib.crc32(column.name.encode())])
        try:
            found = optimal_bins(
                prebin(column.values, bad, max_prebins=PREBINS),
                max_bins=options.max_bins,
                trend=None if options.trend == "none" else options.trend,
                pvalue="permutation",
                repeats=options.repeats,
                rng=seed,
                level=options.level,
            )
        except (ValueError, TypeError) as error:
            message = f"column {column.name!r}: {error}"
            raise ValueError(message) from error
        result = found.information_value()
        p = math.nan if found.pvalue is None else found.pvalue
        plain = () if result.status.ok else result.notes
        yield Row(
            name=column.name,
            result=result,
            labels=found.labels(),
            interval=result.confidence_interval(options.level),
            pvalue=p,
            log_pvalue=math.log(p),
            adjusted=math.nan,
            test=PERMUTATION,
            status=result.status if found.status.ok else found.status,
            notes=tuple(dict.fromkeys([found.status.message, *found.notes[1:], *plain])),
            material=None,
            binning=found,
        )
