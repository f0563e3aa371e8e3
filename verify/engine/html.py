"""A report as one HTML page that needs no script, no network and no other file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from asymptopia.verify.engine.entry import Entry, MutantEntry
from asymptopia.verify.engine.overview import overview
from asymptopia.verify.engine.rows import cells, clean, interval, number, rejected, result, theory, tolerance
from asymptopia.verify.engine.style import STYLE
from asymptopia.verify.engine.svg import figure

if TYPE_CHECKING:
    from asymptopia.verify.engine.report import Report

HEADLINES = {0: ("pass", "Every check passes"), 1: ("fail", "A check fails"), 3: ("inconclusive", "No verdict yet")}
CODE = ("digest", "spec")
LEGEND = (
    ("theory ± δ", '<rect class="band" width="26" height="12"/><line class="theory" y1="6" x2="26" y2="6"/>'),
    (
        "running interval and estimate",
        '<rect class="run area" width="26" height="12"/><line class="run line" y1="6" x2="26" y2="6"/>',
    ),
    (
        "mutant, and the look that refuted it",
        '<line class="mutant level" y1="6" x2="26" y2="6"/><path class="mutant cross" d="M9 2l8 8m0 -8l-8 8"/>',
    ),
    ("look at which the verdict fell", '<line class="rule" x1="13" y1="0" x2="13" y2="12"/>'),
)


def render(report: Report) -> str:
    """Return the page: verdict, table, a figure for each target, manifest and how to repeat the run."""
    kind, words = HEADLINES[report.exit_code] if report.entries else ("inconclusive", "Nothing was checked")
    named = [(f"t{at}", entry) for at, entry in enumerate(report.entries, 1)]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        # a browser that honours it proves that nothing is fetched and nothing runs
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>asymptopia verify: {words.lower()}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f'<h1><span class="badge {kind}">{kind.upper()}</span> {words}</h1>',
        f"<p>{_text(report.summary())}</p>",
        f"<p>{_text(_settings(report))}</p>",
        "</header>",
        "<main>",
        *_table(named),
        *_figures(named),
        *_manifest(report),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def compact(report: Report) -> str:
    """Return the table alone, as a notebook shows it."""
    names = ("check", "theory", "estimate", "interval", "δ", "replicates", "mutants", "result")
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in names)
    rows = [
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in cells(entry)) + "</tr>"
        for entry in report.entries
    ]
    return (
        f"<table class='dataframe'><caption>{_text(report.summary())}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def commands(report: Report) -> tuple[str, str]:
    """Return the command that repeats the run, and the one that compares its totals with a saved report."""
    device = report.manifest.get("device")
    words = ["asymptopia", "verify", *report.checks, "--profile", report.profile, "--seed", str(report.seed)]
    words += ["--alpha", repr(report.alpha), *(["--device", "cuda"] if device == "cuda" else [])]
    return shlex.join(words), "asymptopia rerun report.json"


def _text(text: str) -> str:
    return escape(clean(text))


def _settings(report: Report) -> str:
    version, device = report.manifest.get("asymptopia", "?"), report.manifest.get("device", "?")
    return (
        f"asymptopia {version}, profile {report.profile}, on {device}. The probability that any right theory here is "
        f"ever called wrong is at most {report.alpha:g}."
    )


def _table(named: list[tuple[str, Entry]]) -> Iterator[str]:
    heads = ("target", "theory", "estimate", "interval", "tolerance δ", "replicates", "mutants rejected", "result")
    yield '<section><h2>Verdicts</h2><div class="wide"><table class="verdicts"><thead><tr>'
    yield "".join(f'<th scope="col">{head}</th>' for head in heads)
    yield "</tr></thead>"
    for check, group in groupby(named, lambda pair: pair[1].check):
        yield f'<tbody><tr><th scope="rowgroup" colspan="{len(heads)}">{_text(check)}</th></tr>'
        for key, entry in group:
            case, name = entry.label
            _, claimed, estimate, ends, _, replicates, mutants, _ = map(escape, cells(entry))
            mutants = mutants.removesuffix(" rejected")
            yield (
                f'<tr><td><a href="#{key}">{_text(name)}</a> <small>{_case(case)}</small></td><td class="n">{claimed}'
                f'</td><td class="n">{estimate}</td><td class="n">{ends}</td><td>{tolerance(entry.delta)} '
                f'<small>{_reason(entry.delta_reason)}</small></td><td class="n">{replicates}</td><td>{mutants}</td>'
                f"<td>{_badge(entry)}</td></tr>"
            )
        yield "</tbody>"
    yield "</table></div></section>"


def _case(case: str) -> str:
    """Return the name of a case, which may break after its commas and slashes."""
    return _text(case).replace(",", ",<wbr>").replace("/", "/<wbr>")


def _reason(reason: str) -> str:
    """Return a reason whose numbers do not break at the sign of their exponent."""
    return re.sub(r"[\d.]+e-\d+", r'<span class="n">\g<0></span>', _text(reason))


def _badge(entry: Entry) -> str:
    return f'<span class="badge {escape(entry.status)}">{escape(result(entry))}</span>'


def _figures(named: list[tuple[str, Entry]]) -> Iterator[str]:
    if not named:
        return
    yield "<section><h2>Evidence</h2>"
    yield "<p>The interval holds at every look at once; the verdict falls at the first look at which it lies inside"
    yield "theory ± δ, or outside; a bound has an end on one side only. A mutant that speaks of another statistic has"
    yield "a running interval of its own. The ordinate is linear within δ and logarithmic beyond it. The first figure"
    yield "of a check has all its targets: the last estimate and interval of each, and a cross for each mutant.</p>"
    yield '<ul class="legend">'
    for words, drawing in LEGEND:
        svg = f'<svg viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">{drawing}</svg>'
        yield f"<li>{svg} {words}</li>"
    yield "</ul>"
    for check, group in groupby(named, lambda pair: pair[1].check):
        pairs = list(group)
        yield f"<h3>{_text(check)}</h3>"
        statements = list(dict.fromkeys(entry.statement for _, entry in pairs))
        yield from (f"<p>{_text(statement)}</p>" for statement in statements)
        if len(pairs) > 1:
            yield f'<div class="wide">{overview([entry for _, entry in pairs])}</div>'
        for key, entry in pairs:
            yield from _article(key, entry)
    yield "</section>"


def _article(key: str, entry: Entry) -> Iterator[str]:
    case, name = entry.label
    yield f'<article id="{key}"><h4>{_badge(entry)} {_text(name)} <small>{_text(case)}</small></h4>'
    if entry.reason:
        yield f'<p class="reason {escape(entry.status)}">{_text(entry.reason)}</p>'
    yield f'<div class="wide">{figure(entry, key)}</div>'
    unit = entry.delta
    facts = {
        "statement": entry.statement,
        "theory": f"{theory(entry)}, tolerance δ = {tolerance(unit)}",
        "reason for δ": entry.delta_reason,
        "estimate": f"{number(entry.estimate, unit)} {interval(entry.interval, unit) or '(no interval)'}",
        "replicates": f"{entry.replicates:,} in {entry.seconds:.3g} s on {entry.device}",
        "level": f"{1.0 - entry.alpha:.8g}",
        "digest": f"{entry.digest or 'none'} ({entry.sums})",
        "spec": entry.spec,
    }
    yield "<dl>"
    for label, value in facts.items():
        kind = ' class="code"' if label in CODE else ""
        yield f"<dt>{label}</dt><dd{kind}>{_text(value)}</dd>"
    yield "</dl>"
    if entry.mutants:
        yield f'<div class="wide"><table><caption>mutants: {escape(rejected(entry))}</caption><thead><tr>'
        heads = ("mutant", "predicts", "estimate", "interval", "replicates", "outcome")
        yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
        yield from (_mutant(mutant, unit) for mutant in entry.mutants)
        yield "</tbody></table></div>"
    yield "</article>"


def _mutant(mutant: MutantEntry, unit: float) -> str:
    ends = interval(mutant.interval, unit)
    return (
        f'<tr><td>{_text(mutant.name)}</td><td class="n">{number(mutant.theory, unit)}</td><td class="n">'
        f'{number(mutant.estimate, unit)}</td><td class="n">{ends}</td><td class="n">{mutant.replicates:,}</td>'
        f"<td>{'rejected' if mutant.rejected else '<strong>not rejected</strong>'}</td></tr>"
    )


def _manifest(report: Report) -> Iterator[str]:
    again, compare = commands(report)
    yield "<section><h2>How to repeat it</h2>"
    yield "<p>The same seed gives the same totals on any machine, with any number of threads.</p>"
    yield f"<pre>{_text(again)}</pre>"
    yield "<p>With the report saved by <code>--json report.json</code>, this compares the digests, too:</p>"
    yield f"<pre>{_text(compare)}</pre>"
    yield "</section><section><h2>Manifest</h2>"
    yield '<div class="wide"><table class="manifest"><tbody>'
    facts = {"seed": report.seed, "alpha": report.alpha, "profile": report.profile, **report.manifest}
    for name, value in _flat(facts):
        yield f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>'
    yield "</tbody></table></div></section>"


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}: ")
        else:
            yield f"{above}{name}", "not installed" if value is None else str(value)
