"""What tables say of a target: text for people, and the columns of a data frame."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.sequential import Interval

COLUMNS = ("check", "theory", "estimate", "interval", "delta", "replicates", "mutants", "result")
NUMERIC = COLUMNS[1:6]
SIGNS = {"equal": "", "at_most": "≤ ", "at_least": "≥ "}
_INVALID = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return `text` without the characters that neither XML nor HTML may hold."""
    return _INVALID.sub("\N{REPLACEMENT CHARACTER}", text)


def number(value: float, unit: float) -> str:
    """Return a number with two digits more than `unit`, the size that matters, has.

    Examples
    --------
    >>> number(0.00034974123, 1.1e-5), number(2.1882831e-05, 6.6e-7), number(8.98311, 0.09)
    ('0.0003497', '2.1883e-5', '8.9831')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else f"{value:g}"
    if value == 0.0:
        return "0"
    if not (math.isfinite(unit) and unit > 0.0):
        return _tidy(f"{value:.6g}")
    size, step = max(abs(value), unit), math.floor(math.log10(unit))
    if 1e-4 <= size < 1e9:
        text = f"{value:.{min(max(2 - step, 0), 15)}f}"
    else:
        text = _tidy(f"{value:.{min(max(math.floor(math.log10(size)) - step + 2, 1), 15)}e}")
    return text.removeprefix("-") if not float(text) else text


def theory(entry: Entry) -> str:
    """Return the prediction; a bound with its sign."""
    return SIGNS[entry.claim] + number(entry.theory, entry.delta)


def tolerance(value: float) -> str:
    """Return a tolerance with two digits."""
    return _tidy(f"{value:.2g}") if math.isfinite(value) else "–"


def interval(ends: Interval | None, unit: float) -> str:
    """Return an interval in brackets; nothing where there is none."""
    return "" if ends is None else f"[{number(ends[0], unit)}, {number(ends[1], unit)}]"


def result(entry: Entry) -> str:
    """Return the verdict in capitals."""
    return entry.status.upper()


def rejected(entry: Entry) -> str:
    """Return how many mutants were refuted."""
    return f"{sum(mutant.rejected for mutant in entry.mutants)}/{len(entry.mutants)} rejected"


def cells(entry: Entry) -> tuple[str, ...]:
    """Return the text of `COLUMNS`."""
    unit = entry.delta
    return (
        clean(entry.id),
        theory(entry),
        number(entry.estimate, unit),
        interval(entry.interval, unit),
        tolerance(unit),
        f"{entry.replicates:,}",
        rejected(entry),
        result(entry),
    )


def frame_columns(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """Return the columns of a data frame, a row for each entry."""
    plain = ("id", "check", "statement", "status", "reason", "claim", "theory", "estimate")
    after = ("delta", "delta_reason", "alpha", "replicates", "digest", "spec")
    found = {name: [getattr(entry, name) for entry in entries] for name in plain}
    ends = [entry.interval or (math.nan, math.nan) for entry in entries]
    found["low"], found["high"] = [low for low, _ in ends], [high for _, high in ends]
    found |= {name: [getattr(entry, name) for entry in entries] for name in after}
    found["mutants"] = [len(entry.mutants) for entry in entries]
    found["mutants_rejected"] = [sum(mutant.rejected for mutant in entry.mutants) for entry in entries]
    return found | {name: [getattr(entry, name) for entry in entries] for name in ("seconds", "device", "threads")}


def _tidy(text: str) -> str:
    return re.sub(r"e([+-])0*(\d+)$", lambda found: f"e{found[1].removeprefix('+')}{found[2]}", text)
