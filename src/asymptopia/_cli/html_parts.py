"""Parts that the pages of ``iv``, ``psi`` and ``psi --by`` share."""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from html import escape

import asymptopia
from asymptopia._cli.console import number, pvalue
from asymptopia._cli.repeat import command_line
from asymptopia._cli.report_style import STYLE
from asymptopia.verify.engine.rows import clean

SHORT = 28
"""Characters up to which a name in a table is kept on one line."""


def text(value: object) -> str:
    """Return a value as HTML text."""
    return escape(clean(str(value)))


def figure_number(value: float, digits: int = 3) -> str:
    """Return a number for the page."""
    if math.isnan(value):
        return "–"
    return number(value, digits).replace("-", "−").replace("inf", "∞")


def count(value: float) -> str:
    """Return a count, or a sum of weights."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.1f}"


def chance(value: float) -> str:
    """Return a probability in percent."""
    if math.isnan(value):
        return "–"
    if value == 0 or value < 1e-6:
        return "< 0.0001 %"
    if value > 0.9995:
        return "> 99.9 %"
    return f"{100 * value:.2g} %" if value < 0.1 else f"{100 * value:.1f} %"


def log_chance(value: float, log_value: float) -> str:
    """Return a p-value."""
    return pvalue(value, log_value).replace("-", "−") if not math.isnan(value) else "–"


def adjusted(value: float) -> str:
    """Return an adjusted p-value."""
    return "&lt; 1e−300" if value == 0 else figure_number(value, 3)


def ends(interval: Sequence[float]) -> str:
    """Return an interval in brackets."""
    low, high = interval
    return "–" if math.isnan(low) else f"[{figure_number(low, 3)}, {figure_number(high, 3)}]"


def column_link(key: str, name: str) -> str:
    """Return the name of a column, which leads to its section."""
    kind = "w" if len(name) <= SHORT else "long"
    return f'<a class="{kind}" href="#{key}">{text(name)}</a>'


def badge(kind: str, words: str) -> str:
    """Return a badge."""
    return f'<span class="badge {kind}">{escape(words)}</span>'


def word(value: str) -> str:
    """Return a name that does not break unless it is long."""
    return f'<span class="w">{text(value)}</span>' if len(value) <= SHORT else text(value)


def leading(scores: Sequence[float], most: int) -> tuple[list[int], str]:
    """Return the positions of the largest scores, in order, and a sentence on what was left out."""
    if len(scores) <= most:
        return [*range(len(scores))], ""
    kept = sorted(sorted(range(len(scores)), key=lambda i: -scores[i])[:most])
    return kept, f"{len(scores)} cells: shown are the {most} that contribute most."


def document(title: str, facts: dict[str, str], options: argparse.Namespace, body: Iterable[str]) -> str:
    """Return the whole page: head with what was run, then the body."""
    facts = dict(facts) | ({"date": options.date} if options.date else {})
    facts["version"] = f"asymptopia {asymptopia.__version__}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        # a browser that honours it proves that nothing is fetched and nothing runs
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{text(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{text(title)}</h1>",
        '<dl class="facts">',
        *(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts.items()),
        "</dl>",
        f"<pre>{text(shlex.join(command_line(options)))}</pre>",
        "</header>",
        "<main>",
        *body,
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def listing(heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = (0,)) -> Iterator[str]:
    """Yield a table that scrolls by itself; cells are HTML, the columns at `left` are words."""

    def kind(i: int) -> str:
        return "" if i in left else ' class="n"'

    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f'<th scope="col"{kind(i)}>{text(head)}</th>' for i, head in enumerate(heads))
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td{kind(i)}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>"
    yield "</tbody></table></div>"


def notes(sentences: Iterable[str]) -> str:
    """Return sentences as a list."""
    return '<ul class="notes">' + "".join(f"<li>{text(sentence)}</li>" for sentence in sentences) + "</ul>"


def box(title: str, sentences: Iterable[str]) -> str:
    """Return the explanation."""
    items = "".join(f"<li>{text(sentence)}</li>" for sentence in sentences)
    return f'<section class="box"><h2>{text(title)}</h2><ul>{items}</ul></section>'
