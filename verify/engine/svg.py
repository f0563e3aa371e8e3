"""The figure of a target as inline SVG; its colours are the classes of the page's style sheet."""

from __future__ import annotations

from html import escape

from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.picture import Mark, Picture, Points, picture, spread
from asymptopia.verify.engine.rows import clean, interval, number, theory, tolerance

WIDTH, HEIGHT = 900, 260
LEFT, RIGHT, TOP, BOTTOM = 62, 300, 26, 40
LINE = 15
"""Height of a label in the margin."""
NAME = 32
"""Characters of a mutant's name that fit there; the table below the figure has all of them."""


def figure(entry: Entry, key: str) -> str:
    """Return the figure of a target.

    Parameters
    ----------
    entry : Entry
        The outcome.
    key : str
        Prefix of the identifiers in it, unique in the page.
    """
    shown = picture(entry)
    parts = [
        f'<svg class="figure" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{key}-title {key}-desc">',
        f'<title id="{key}-title">{_text(entry.id)}: {_text(entry.status)}</title>',
        f'<desc id="{key}-desc">{_text(_describe(entry, shown))}</desc>',
        *_frame(shown),
        *(part for mark in shown.marks for part in _control(mark, shown)),
        *(part for run in shown.runs for part in _trace(run, shown, "run")),
        *_end(shown),
        *_levels(shown),
        *_labels(shown),
        "</svg>",
    ]
    return "\n".join(parts)


def _describe(entry: Entry, shown: Picture) -> str:
    mutants = "; ".join(f"mutant {mark.name} {mark.note}".strip() for mark in shown.marks)
    return (
        f"Running interval of the estimate over replicates, in tolerances from the theory. {shown.verdict}. Theory "
        f"{theory(entry)} with tolerance {tolerance(entry.delta)}, estimate "
        f"{number(entry.estimate, entry.delta)} {interval(entry.interval, entry.delta) or 'without an interval'}. "
        f"{mutants}."
    )


def _text(text: str) -> str:
    return escape(clean(text))


def _x(shown: Picture, n: float) -> str:
    return f"{LEFT + (WIDTH - LEFT - RIGHT) * shown.across(n):.1f}"


def _y(shown: Picture, deviation: float) -> str:
    return f"{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * shown.up(deviation):.1f}"


def _frame(shown: Picture) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    lower, upper = (_y(shown, end) for end in shown.band)
    height = float(lower) - float(upper)
    parts = [f'<rect class="band" x="{LEFT}" y="{upper}" width="{right - LEFT}" height="{height:.1f}"/>']
    for value, label in shown.yticks:
        at = _y(shown, value)
        kind = "theory" if value == 0.0 else "grid"
        parts.append(f'<line class="{kind}" x1="{LEFT}" y1="{at}" x2="{right}" y2="{at}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{at}" dy="4" text-anchor="end">{label}</text>')
    for n, label in shown.xticks:
        at = _x(shown, n)
        parts.append(f'<line class="tick" x1="{at}" y1="{bottom}" x2="{at}" y2="{bottom + 5}"/>')
        parts.append(f'<text x="{at}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
    parts.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 5}" text-anchor="middle">replicates</text>')
    return parts


def _trace(run: Points, shown: Picture, kind: str) -> list[str]:
    """Return the running interval as an area and the estimate as a line; a single look is a bar."""
    if len(run) == 1:
        n, mid, low, high = run[0]
        at = _x(shown, n)
        bar = f'<line class="{kind} bar" x1="{at}" y1="{_y(shown, low)}" x2="{at}" y2="{_y(shown, high)}"/>'
        return [bar, f'<circle class="{kind} dot" cx="{at}" cy="{_y(shown, mid)}" r="3"/>']
    upper = [f"{_x(shown, n)},{_y(shown, high)}" for n, _, _, high in run]
    lower = [f"{_x(shown, n)},{_y(shown, low)}" for n, _, low, _ in reversed(run)]
    middle = [f"{_x(shown, n)},{_y(shown, mid)}" for n, mid, _, _ in run]
    return [
        f'<polygon class="{kind} area" points="{" ".join(upper + lower)}"/>',
        f'<polyline class="{kind} line" points="{" ".join(middle)}"/>',
    ]


def _control(mark: Mark, shown: Picture) -> list[str]:
    return [part for run in mark.runs for part in _trace(run, shown, "mutant")]


def _end(shown: Picture) -> list[str]:
    """Return the look at which the verdict fell: a rule with its words above the figure, and the last interval."""
    if not shown.at:
        return [f'<text class="verdict" x="{LEFT}" y="{TOP - 10}">{escape(shown.verdict)}</text>']
    at = _x(shown, shown.at)
    anchor = "end" if shown.across(shown.at) > 0.5 else "start"
    parts = [
        f'<line class="rule" x1="{at}" y1="{TOP - 6}" x2="{at}" y2="{HEIGHT - BOTTOM}"/>',
        f'<text class="verdict" x="{at}" y="{TOP - 10}" text-anchor="{anchor}">{escape(shown.verdict)}</text>',
    ]
    if shown.runs and shown.runs[-1][-1][0] == shown.at:
        _, mid, low, high = shown.runs[-1][-1]
        parts.append(f'<line class="run bar" x1="{at}" y1="{_y(shown, low)}" x2="{at}" y2="{_y(shown, high)}"/>')
        parts.append(f'<circle class="run dot" cx="{at}" cy="{_y(shown, mid)}" r="3"/>')
    else:
        parts.append(f'<text x="{LEFT + 8}" y="{_y(shown, -0.55)}">no interval at the last look</text>')
    return parts


def _levels(shown: Picture) -> list[str]:
    """Return what the mutants predict, with a cross at the look that refuted each."""
    right = WIDTH - RIGHT
    parts = []
    for mark in shown.marks:
        if mark.level is not None:
            y = _y(shown, mark.level)
            parts.append(f'<line class="mutant level" x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}"/>')
        if mark.rejected and mark.anchor == mark.anchor:
            across, up = float(_x(shown, max(mark.at, 1))), float(_y(shown, mark.anchor))
            parts.append(f'<path class="mutant cross" d="M{across - 4:.1f} {up - 4:.1f}l8 8m0 -8l-8 8"/>')
    return parts


def _labels(shown: Picture) -> list[str]:
    """Return the names of the mutants in the right margin, each led to its place."""
    marks = [mark for mark in shown.marks if mark.anchor == mark.anchor]
    tall = HEIGHT - TOP - BOTTOM
    places = [float(_y(shown, mark.anchor)) for mark in marks]
    parts = []
    for mark, place, at in zip(marks, places, spread(places, LINE, TOP, TOP + tall), strict=True):
        right = float(_x(shown, mark.at)) if mark.runs else float(WIDTH - RIGHT)
        start, end = right + 3, WIDTH - RIGHT + 18
        arrow = "" if not mark.beyond else "↑ " if mark.anchor > 0 else "↓ "
        name = mark.name if len(mark.name) <= NAME else f"{mark.name[: NAME - 1]}…"
        parts.append(
            f'<polyline class="mutant lead" points="{start:.1f},{place:.1f} {end - 8},{at:.1f} {end},{at:.1f}"/>'
        )
        parts.append(
            f'<text class="mutant" x="{end + 4}" y="{at:.1f}" dy="4">{arrow}{_text(name)} '
            f'<tspan class="note">{escape(mark.note)}</tspan></text>'
        )
    return parts
