"""The report of ``iv`` and ``psi`` as one HTML page that needs no script, no network and no other file."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

from asymptopia._cli.html_parts import (
    adjusted,
    badge,
    box,
    chance,
    column_link,
    count,
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
    PLUG_IN,
    bar,
    dot,
    interval_mark,
    legend,
    line,
    scale,
    strips,
)
from asymptopia._cli.sheet import NAMES, NO, RULES, YES, Row, Sheet

MOST_CELLS = 60
"""Cells that a section shows."""
ADJUSTED = {
    "holm": "the probability of any false one among all columns is at most the level you compare with",
    "bonferroni": "the probability of any false one among all columns is at most the level you compare with",
    "bh": "the expected share of false ones among those you call real is at most the level you compare with, where "
    "columns are independent or positively dependent",
    "by": "the expected share of false ones among those you call real is at most the level you compare with",
}


def page(sheet: Sheet, options: argparse.Namespace) -> str:
    """Return the page: what was run, all columns in a figure and a table, how to read them, a section for each."""
    many = f"{len(sheet.rows)} columns" if len(sheet.rows) > 1 else "1 column"
    title = f"{NAMES[sheet.quantity].capitalize()} of {many}"
    return document(title, _facts(sheet, options), options, _body(sheet))


def _facts(sheet: Sheet, options: argparse.Namespace) -> dict[str, str]:
    found = sheet.rows[0].result
    sides = ("good", "bad (event)") if sheet.quantity == "IV" else ("current", "reference")
    facts = {
        **options.about,
        "rows": f"{found.n:,} {sides[0]}, {int(found.m):,} {sides[1]}",
        "intervals": f"{100 * sheet.level:g} %",
        "p-values": f"for {'no association' if sheet.quantity == 'IV' else 'no shift'}, adjusted by {sheet.adjustment}",
    }
    if sheet.margin is not None:
        facts["margin"] = f"{sheet.margin:g}"
    if options.weights:
        facts["weights"] = f"{options.weights} (sampling weights)"
    if options.clusters:
        facts["clusters"] = options.clusters
    if sheet.chosen:
        facts["bins"] = (
            f"numeric columns: at most {options.max_bins} with the largest information value, trend {options.trend}; "
            f"{sheet.repeats} permutations, seed {options.seed}"
        )
    return facts


def _body(sheet: Sheet) -> Iterator[str]:
    yield "<section><h2>All columns</h2>"
    yield from _forest(sheet)
    yield from _table(sheet)
    if sheet.remarks() or sheet.statuses():
        yield notes([*sheet.remarks(), *map(str, sheet.statuses())])
    yield "</section>"
    yield box("How to read this", _explanations(sheet))
    yield from _rules(sheet)
    yield "<section><h2>Column by column</h2>"
    for i, row in enumerate(sheet.rows, 1):
        yield from _article(sheet, row, f"c{i}")
    yield "</section>"


def _kind(sheet: Sheet, row: Row) -> str:
    return "found" if row.adjusted <= sheet.alpha else "open"


def _forest(sheet: Sheet) -> Iterator[str]:
    points = [row.noise_point() for row in sheet.rows]
    values = [end for row in sheet.rows for end in (*row.interval, row.result.estimate, row.result.estimate_smoothed)]
    shown = scale([*values, *points, sheet.margin or 0.0])
    rows = []
    for i, (row, noise) in enumerate(zip(sheet.rows, points, strict=True), 1):
        kind, found = _kind(sheet, row), row.result
        parts = [] if math.isnan(noise) else [bar("noise", shown.at(0.0), shown.at(noise), 12, 76)]
        if sheet.margin is not None:
            parts.append(line("margin", shown.at(sheet.margin), 0, shown.at(sheet.margin), 100))
        if not math.isnan(row.interval[0]):
            low, high = (shown.at(end) for end in row.interval)
            parts.append(line(kind, low, 50, high, 50))
        parts.append(dot(kind, shown.at(found.estimate_smoothed)))
        if math.isfinite(found.estimate):
            at = shown.at(found.estimate)
            parts.append(line(f"{kind} mark", at, 22, at, 78))
        words = f"{row.name}: {sheet.quantity} {figure_number(found.estimate_smoothed)} {ends(row.interval)}"
        rows.append((column_link(f"c{i}", row.name), "".join(parts), text(words)))
    title = f"{NAMES[sheet.quantity]} (nats)"
    yield from strips(rows, shown, title, described=f"{title} of every column with intervals")
    level = f"{100 * sheet.level:g} % interval"
    items = [
        (interval_mark("found"), f"{level}, {sheet.adjustment} p ≤ {sheet.alpha:g}"),
        (interval_mark("open"), f"{level}, {sheet.adjustment} p > {sheet.alpha:g}"),
        (PLUG_IN, "plug-in estimate (dot: smoothed)"),
        (NOISE, "what noise alone stays within, 95 %" + (" (given bins only)" if sheet.chosen else "")),
    ]
    yield legend(items + ([(MARGIN, f"margin {sheet.margin:g}")] if sheet.margin is not None else []))


def _table(sheet: Sheet) -> Iterator[str]:
    heads = ["column", "cells", sheet.quantity, f"{100 * sheet.level:g} % interval", "SE", "bias"]
    heads += [*(["test"] if sheet.chosen else []), "p", f"p ({sheet.adjustment})"]
    if sheet.margin is not None:
        heads += [f"p ({sheet.quantity} {sign} {sheet.margin:g})" for sign in "><"] + ["material?"]
    heads.append("status")
    left = [i for i, head in enumerate(heads) if head in {"column", "test", "material?", "status"}]
    rows = []
    for i, row in enumerate(sheet.rows, 1):
        found = row.result
        cells = [column_link(f"c{i}", row.name), str(found.bins), figure_number(found.estimate)]
        cells += [ends(row.interval), figure_number(found.se), figure_number(found.bias)]
        cells += [*([row.test] if sheet.chosen else []), log_chance(row.pvalue, row.log_pvalue), adjusted(row.adjusted)]
        if row.material is not None:
            against = row.material
            cells += [adjusted(against.above_adjusted), adjusted(against.below_adjusted), against.verdict]
        rows.append([*cells, _words(row)])
    yield from listing(heads, rows, left=left)


def _words(row: Row) -> str:
    return "ok" if row.status.ok else f'<span class="w" title="{text(row.status.message)}">{_status(row)}</span>'


def _status(row: Row) -> str:
    return text(row.status.name.replace("_", " ").lower())


def _explanations(sheet: Sheet) -> list[str]:
    level, quantity = f"{100 * sheet.level:g} %", sheet.quantity
    nothing = "the column tells nothing of the outcome" if quantity == "IV" else "nothing has shifted"
    value = NAMES[quantity]
    found = [
        f"{quantity} is the {value}, in nats. It is 0 where {nothing}, and never negative.",
        f"The interval is a range of values of the {value} that the counts do not contradict. Over many samples "
        f"{level} of such intervals hold the true value, also where that is 0 or small.",
        f"p is the probability of a value as large as this one, or larger, where {nothing}. "
        f"p ({sheet.adjustment}) allows for all {len(sheet.rows)} columns: {ADJUSTED[sheet.adjustment]}.",
        "An interval that excludes 0 is not the test. The estimate is positive by noise alone, and a normal interval, "
        "estimate ± 1.96 SE, excludes 0 for 8 % of useless columns with 10 cells and for 70 % with 20. Read p for "
        f"'is there anything', and the interval for 'how much'. SE describes the estimate well where the {value} is "
        "large beside the grey bar.",
        "A large p does not show that there is nothing. The upper end of the interval says how large the value may be; "
        "a test against a margin (--margin) shows that it is below one.",
        "bias is what noise adds to the plug-in estimate on average, to first order.",
        f"Rules such as {' and '.join(f'{rule:g}' for rule in RULES[quantity])} know nothing of the number of rows. "
        "The next table compares them with what noise alone reaches at these sizes.",
    ]
    if quantity == "IV":
        found.append(
            "WoE is log(share of goods / share of bads) of a cell: positive is safer. 0.69, log 2, means that the cell "
            "holds twice the share of the goods that it holds of the bads."
        )
    return found


def _rules(sheet: Sheet) -> Iterator[str]:
    rules = RULES[sheet.quantity]
    heads = ["column", "cells", sheet.quantity, "noise stays within (95 %)", *(f"noise exceeds {x:g}" for x in rules)]
    rows = []
    for i, row in enumerate(sheet.rows, 1):
        cells = [column_link(f"c{i}", row.name), str(row.result.bins), figure_number(row.result.estimate)]
        cells.append(figure_number(row.noise_point()))
        rows.append(cells + [text(chance(row.noise_exceeds(rule))) for rule in rules])
    yield "<section><h2>What noise alone reaches</h2>"
    yield (
        "<p>Where there is nothing to be found, the estimate stays within the first number in 95 % of samples of these "
        "sizes and exceeds the customary thresholds with the probabilities beside it. A threshold that noise exceeds "
        "often does not tell a useful column from a useless one; where noise never reaches it, a smaller value can be "
        "real, too.</p>"
    )
    yield from listing(heads, rows)
    if sheet.chosen:
        yield "<p>Chosen bins have no such law: noise reaches more there. Their p-value counts the search.</p>"
    yield "</section>"


def _article(sheet: Sheet, row: Row, key: str) -> Iterator[str]:
    found = row.result
    there, open_ = (
        ("tells the outcomes apart", "not told from noise")
        if sheet.quantity == "IV"
        else ("shift", "no evidence of a shift")
    )
    kind = _kind(sheet, row)
    words = badge(kind, there if kind == "found" else open_)
    if row.material is not None and row.material.verdict in {YES, NO}:
        material = row.material.verdict == YES
        sign = "above" if material else "below"
        words += " " + badge("found" if material else "calm", f"{sign} {sheet.margin:g}")
    yield f'<article id="{key}"><h3>{text(row.name)} {words}</h3>'
    yield f"<p>{_sentence(sheet, row)}</p>"
    kept, words = leading(found.contributions.tolist(), MOST_CELLS)
    if words:
        yield f"<p>{text(words)}</p>"
    if sheet.quantity == "IV":
        yield from _woe_figure(sheet, row, kept)
    else:
        yield from _share_figure(row, kept)
    yield from _cells(sheet, row, kept)
    yield notes(row.notes if not row.status.ok or len(row.notes) > 1 else [row.status.message])
    if found.bins < found.woe.size:
        yield notes([f"{found.woe.size - found.bins} cells are empty in both samples and count nothing."])
    yield "</article>"


def _sentence(sheet: Sheet, row: Row) -> str:
    found = row.result
    first = f"{sheet.quantity} {figure_number(found.estimate)}"
    if math.isinf(found.estimate):
        first += f" (smoothed {figure_number(found.estimate_smoothed)})"
    if found.dof == 0:
        return f"{first}: nothing can be tested."
    parts = [
        f"{first}, {100 * sheet.level:g} % interval {ends(row.interval)}",
        f"p {log_chance(row.pvalue, row.log_pvalue)} by {row.test}, {sheet.adjustment} {adjusted(row.adjusted)}",
    ]
    noise = row.noise_point()
    if not math.isnan(noise):
        parts.append(f"noise alone stays within {figure_number(noise)} in 95 % of samples")
    if row.binning is not None:
        chosen = row.binning
        trend = "without a trend" if chosen.trend is None else f"event rate {chosen.trend}"
        parts.append(f"{len(chosen.splits) + 1} bins of {chosen.prebins} quantiles, {trend}")
    return "; ".join(parts) + "."


def _woe_figure(sheet: Sheet, row: Row, kept: list[int]) -> Iterator[str]:
    from scipy.special import ndtri

    reach = -float(ndtri((1 - sheet.level) / 2))
    woe, se = row.result.woe[kept].tolist(), row.result.woe_se[kept].tolist()
    labels = [row.labels[i] for i in kept]
    ends_of = [value + side * reach * error for value, error in zip(woe, se, strict=True) for side in (-1, 0, 1)]
    shown = scale(ends_of)
    # room for a bar to an infinite value on either side
    room = 0.25 * (shown.high - shown.low)
    shown = scale([*ends_of, *(math.copysign(room, value) for value in woe if math.isinf(value))])
    rows = []
    for label, value, error in zip(labels, woe, se, strict=True):
        zero = shown.at(0.0)
        if math.isnan(value):
            drawing, words = '<text x="50%" y="50%" dy="4" text-anchor="middle">empty</text>', "empty"
        elif math.isinf(value):
            end, at, anchor, sign = (shown.high, 98, "end", "+") if value > 0 else (shown.low, 2, "start", "−")
            inside = f'x="{at}%" y="50%" dy="4" text-anchor="{anchor}"'
            drawing = bar("woe", zero, shown.at(end), 18, 64) + f'<text class="infinite" {inside}>{sign}∞</text>'
            words = f"{sign}∞"
        else:
            low, high = (shown.at(value + side * reach * error) for side in (-1, 1))
            drawing = bar("woe", zero, shown.at(value), 18, 64)
            drawing += line("open", low, 50, high, 50) + dot("open", shown.at(value))
            words = f"{figure_number(value)} ± {figure_number(reach * error, 2)}"
        rows.append((text(label), drawing, text(f"{label}: WoE {words}")))
    title = f"weight of evidence (nats) with {100 * sheet.level:g} % intervals; right of 0 is safer"
    yield from strips(rows, shown, title, described=f"Weight of evidence of the cells of {row.name}")


def _share_figure(row: Row, kept: list[int]) -> Iterator[str]:
    now, then = (side[kept].tolist() for side in row.result.shares())
    labels = [row.labels[i] for i in kept]
    shown = scale(100 * share for share in (*now, *then))
    rows = []
    for label, current, reference in zip(labels, now, then, strict=True):
        drawing = bar("second", shown.at(0.0), shown.at(100 * reference), 14, 34)
        drawing += bar("first", shown.at(0.0), shown.at(100 * current), 51, 34)
        words = f"{label}: {100 * reference:.1f} % in the reference, {100 * current:.1f} % now"
        rows.append((text(label), drawing, text(words)))
    described = f"Shares of the cells of {row.name} in the reference and now"
    yield from strips(rows, shown, "share (%)", described=described, tall=True)
    marks = [('<rect class="second" width="26" height="12"/>', "reference")]
    yield legend([*marks, ('<rect class="first" width="26" height="12"/>', "current")])


def _cells(sheet: Sheet, row: Row, kept: list[int]) -> Iterator[str]:
    found = row.result
    first, second = (getattr(found, name).tolist() for name in (found.first, found.second))
    shares = [side.tolist() for side in found.shares()]
    sides = ("good", "bad") if sheet.quantity == "IV" else ("current", "reference")
    ratio = "WoE ± SE" if sheet.quantity == "IV" else "log ratio ± SE"
    rate = ["bad rate"] if sheet.quantity == "IV" else []
    heads = ["cell", sides[0], sides[1], f"{sides[0]} share", f"{sides[1]} share", *rate, ratio, "contribution"]
    rows = []
    for i in kept:
        woe, se = float(found.woe[i]), float(found.woe_se[i])
        both = figure_number(woe) + ("" if math.isnan(se) else f" ± {figure_number(se, 2)}")
        cells = [word(row.labels[i]), count(first[i]), count(second[i]), *(f"{100 * side[i]:.1f} %" for side in shares)]
        if rate:
            whole = first[i] + second[i]
            cells.append("–" if whole == 0 else f"{100 * second[i] / whole:.1f} %")
        rows.append([*cells, both, figure_number(float(found.contributions[i]))])
    yield from listing(heads, rows)
