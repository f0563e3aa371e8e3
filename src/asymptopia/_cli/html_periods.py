"""The report of ``psi --by`` as one HTML page: every column over the periods."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asymptopia._cli.html_parts import (
    adjusted,
    badge,
    box,
    column_link,
    document,
    ends,
    figure_number,
    leading,
    listing,
    log_chance,
    notes,
    text,
    word,
)
from asymptopia._cli.html_strips import (
    MARGIN,
    NOISE,
    Scale,
    bar,
    dot,
    interval_mark,
    legend,
    line,
    scale,
)
from asymptopia._cli.periods import Followed, Periods, tests

if TYPE_CHECKING:
    from asymptopia.theory.scorecard.monitoring import MonitorResult

KINDS = {"drift": "found", "stable": "calm", "no evidence": "open"}
MOST_CELLS = 30
"""Cells whose shares are shown."""
ROOM = 44
"""Characters of the labels of periods that a narrow screen holds."""


def page(found: Periods, options: argparse.Namespace) -> str:
    """Return the page: what was run, verdicts of all columns, how to read them, a section for each column."""
    title = f"Population stability of {len(found.columns)} columns over {len(found.names)} periods"
    facts = {
        **options.about,
        "periods": f"{found.by}: {found.names[0]} to {found.names[-1]}",
        "rows": f"{sum(found.sizes):,} current, {found.reference:,} reference",
        "intervals": f"{100 * found.level:g} %, each by itself",
        "p-values": f"for no shift, adjusted by {found.adjustment} for all columns and periods together",
    }
    if found.margin is not None:
        facts["margin"] = f"{found.margin:g}"
    return document(title, facts, options, _body(found))


def _body(found: Periods) -> Iterator[str]:
    yield "<section><h2>All columns</h2>"
    yield from _overview(found)
    statuses = dict.fromkeys(status for item in found.columns for status in item.result.statuses if not status.ok)
    if statuses:
        yield notes(map(str, statuses))
    yield "</section>"
    yield box("How to read this", _explanations(found))
    yield "<section><h2>Column by column</h2>"
    for i, item in enumerate(found.columns, 1):
        yield from _article(found, item, f"c{i}")
    yield "</section>"


def _overview(found: Periods) -> Iterator[str]:
    """Yield a table with the verdicts: counts, and a bar a period."""
    shown = scale(value for item in found.columns for value in item.result.estimate_smoothed.tolist())
    used = [kind for kind in KINDS if any(kind in item.result.verdicts for item in found.columns)]
    heads = ["column", "PSI of each period, smoothed", "largest", *used]
    rows = []
    for i, item in enumerate(found.columns, 1):
        result = item.result
        largest = int(result.estimate_smoothed.argmax())
        top = figure_number(float(result.estimate_smoothed[largest]))
        cells = [
            column_link(f"c{i}", item.name),
            f'<div class="spark">{_spark(result, shown)}</div>',
            f"{top} <small>{text(result.names[largest])}</small>",
        ]
        rows.append(cells + [str(result.verdicts.count(kind)) for kind in used])
    yield from listing(heads, rows, left=(0, 1))
    yield legend((f'<rect class="{KINDS[kind]}" width="26" height="12"/>', kind) for kind in used)


def _spark(result: MonitorResult, shown: Scale) -> str:
    width = 100 / len(result.names)
    parts = []
    for i, (value, verdict) in enumerate(zip(result.estimate_smoothed.tolist(), result.verdicts, strict=True)):
        height = max(100 * value / shown.high, 3.0)
        start = i * width
        parts.append(bar(KINDS[verdict], start + 0.1 * width, start + 0.9 * width, 100 - height, height))
    words = text(
        ", ".join(
            f"{name}: {figure_number(value)} {verdict}"
            for name, value, verdict in zip(
                result.names, result.estimate_smoothed.tolist(), result.verdicts, strict=True
            )
        )
    )
    return f'<svg role="img" aria-label="{words}"><title>{words}</title>{"".join(parts)}</svg>'


def _explanations(found: Periods) -> list[str]:
    sentences = [
        "PSI is the population stability index of a period against the reference, in nats: 0 where nothing has "
        "shifted, and never negative.",
        f"The interval is a range of values that the counts do not contradict: {100 * found.level:g} % of such "
        "intervals hold the true value, each by itself.",
        "p is the probability of an index as large as this one, or larger, where nothing has shifted. "
        f"p ({found.adjustment}) allows for all {len(found.columns)} columns and {len(found.names)} periods together.",
        "An interval that excludes 0 is not the test: the index is positive by noise alone. Read p for 'is there a "
        "shift', and the interval for 'how much'.",
        f"With probability {100 * (1 - found.alpha):g} % or more, noise alone leaves the grey area in no column and no "
        "period. Rules such as 0.1 and 0.25 know nothing of the number of rows: below "
        "the grey area they raise false alarms.",
    ]
    if found.margin is None:
        sentences.append(
            "drift: no shift is rejected. no evidence: it is not, which does not show stability; a margin (--margin) "
            "lets the test show that the index is below it."
        )
    else:
        sentences.append(
            f"drift: the index is shown to be above {found.margin:g}. stable: it is shown to be below "
            f"{found.margin:g}. no evidence: the counts show neither."
        )
    return sentences


def _article(found: Periods, item: Followed, key: str) -> Iterator[str]:
    result = item.result
    badges = " ".join(
        badge(kind, f"{result.verdicts.count(verdict)} {verdict}")
        for verdict, kind in KINDS.items()
        if verdict in result.verdicts
    )
    yield f'<article id="{key}"><h3>{text(item.name)} {badges}</h3>'
    yield from _chart(found, item)
    heads = [found.by, "rows", "PSI", f"{100 * found.level:g} % interval", "SE", "bias", "p", f"p ({found.adjustment})"]
    if found.margin is not None:
        heads += [f"p (PSI {sign} {found.margin:g})" for sign in "><"]
    rows = []
    for i, name in enumerate(result.names):
        cells = [word(name), f"{found.sizes[i]:,}", figure_number(float(result.estimate[i]))]
        cells.append(ends((float(result.ci.low[i]), float(result.ci.high[i]))))
        cells += [figure_number(float(values[i])) for values in (result.se, result.bias)]
        cells.append(log_chance(float(result.pvalue[i]), float(result.log_pvalue[i])))
        cells += [adjusted(float(values[i])) for values in tests(result)]
        status = result.statuses[i]
        words = "ok" if status.ok else status.name.replace("_", " ").lower()
        rows.append([*cells, word(result.verdicts[i]), word(words)])
    yield from listing([*heads, "verdict", "status"], rows, left=(0, len(heads), len(heads) + 1))
    yield "<h4>Shares of the cells (%)</h4>"
    sides = [("reference", result.reference), *zip(result.names, result.table, strict=True)]
    shares = [(name, (100 * side / side.sum()).tolist()) for name, side in sides]
    spread = [max(column) - min(column) for column in zip(*(side for _, side in shares), strict=True)]
    kept, left_out = leading(spread, MOST_CELLS)
    if left_out:
        yield f"<p>{text(left_out.replace('contribute', 'move'))}</p>"
    yield from listing(
        [found.by, *(item.labels[i] for i in kept)],
        [[word(name), *(f"{side[i]:.1f}" for i in kept)] for name, side in shares],
    )
    yield "</article>"


def _chart(found: Periods, item: Followed) -> Iterator[str]:
    """Yield the drift figure: periods from left to right, the index upwards."""
    result = item.result
    values = [*result.estimate_smoothed.tolist(), *result.ci.high.tolist(), *result.critical.tolist()]
    shown = scale([*values, found.margin or 0.0])
    left, bottom, count = 9.0, 88.0, len(result.names)
    width = (99.0 - left) / count

    def up(value: float) -> float:
        return bottom * (1 - min(max(value / shown.high, 0.0), 1.0) * 0.97)

    def across(i: int) -> float:
        return left + width * (i + 0.5)

    parts = []
    for i, critical in enumerate(result.critical.tolist()):
        if math.isfinite(critical):
            # a little wider than its place: no seams
            start = left + width * i
            parts.append(bar("noise", start, min(start + width + 0.05, 99.0), up(critical), bottom - up(critical)))
    for value, label in shown.ticks(5):
        parts.append(line("zero" if value == 0 else "grid", left, up(value), 99, up(value)))
        parts.append(f'<text x="{left - 1:.2f}%" y="{up(value):.4g}%" dy="4" text-anchor="end">{label}</text>')
    if found.margin is not None:
        parts.append(line("margin", left, up(found.margin), 99, up(found.margin)))
    smoothed = result.estimate_smoothed.tolist()
    parts += [line("way", across(i - 1), up(smoothed[i - 1]), across(i), up(smoothed[i])) for i in range(1, count)]
    for i, verdict in enumerate(result.verdicts):
        kind, at = KINDS[verdict], across(i)
        low, high = float(result.ci.low[i]), float(result.ci.high[i])
        words = text(f"{result.names[i]}: PSI {figure_number(smoothed[i])} {ends((low, high))}, {verdict}")
        parts.append(f"<g><title>{words}</title>")
        if not math.isnan(low):
            parts.append(line(kind, at, up(low), at, up(high)))
        parts.append(dot(kind, at, up(smoothed[i])))
        parts.append("</g>")
    longest = max(map(len, result.names)) + 1
    step = -(-count // max(1, ROOM // longest))
    below = f'y="{bottom + 7:g}%" text-anchor="middle"'
    parts += [f'<text x="{across(i):.2f}%" {below}>{text(result.names[i])}</text>' for i in range(0, count, step)]
    words = text(f"Population stability index of {item.name} over {found.by}, with intervals")
    yield f'<div class="chart"><svg role="img" aria-label="{words}">{"".join(parts)}</svg></div>'
    level = f"{100 * found.level:g} % interval"
    items = [(interval_mark(kind), f"{level}: {name}") for name, kind in KINDS.items() if name in result.verdicts]
    items.append((NOISE, f"noise alone, all columns and periods, {100 * (1 - found.alpha):g} %"))
    yield legend(items + ([(MARGIN, f"margin {found.margin:g}")] if found.margin is not None else []))
