"""Figures of the HTML reports as inline SVG whose abscissas are percentages: they fit any width, text keeps its size.

A figure is a grid of rows, a label and a strip each. Colours are classes of the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

EDGE = 1.5
"""Percent left free at both ends, so that no mark is cut off."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Abscissa of a figure."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the percentage at which the value is drawn; beyond the ends at the end."""
        share = (value - self.low) / (self.high - self.low)
        return EDGE + (100 - 2 * EDGE) * min(max(share, 0.0), 1.0)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Return round values, at most `most` and one more, with their labels."""
        step = nice_step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        # step * i has no digits beyond those of the step
        return [(step * i, f"{step * i:.10g}".replace("-", "−")) for i in range(first, last + 1)]


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `least`.

    Examples
    --------
    >>> nice_step(0.013), nice_step(0.2), nice_step(61.0)
    (0.02, 0.2, 100.0)
    """
    power = math.floor(math.log10(least))
    for digit in (1, 2, 5):
        step = float(f"{digit}e{power}")
        if step >= least * (1 - 1e-9):
            return step
    return float(f"1e{power + 1}")


def scale(values: Iterable[float]) -> Scale:
    """Return a scale that holds 0 and all finite values."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    return Scale(low, high if high > low else low + 1.0)


def grid_lines(shown: Scale) -> str:
    """Return the lines at the ticks, from top to bottom of a strip."""
    return "".join(
        line("zero" if value == 0 else "grid", shown.at(value), 0, shown.at(value), 100) for value, _ in shown.ticks()
    )


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a line between two points in percent."""
    return f'<line class="{kind}" x1="{x1:.2f}%" y1="{y1:.4g}%" x2="{x2:.2f}%" y2="{y2:.4g}%"/>'


def bar(kind: str, start: float, end: float, top: float, height: float) -> str:
    """Return a rectangle from one abscissa to another, all in percent."""
    left, width = min(start, end), abs(end - start)
    return f'<rect class="{kind}" x="{left:.2f}%" y="{top:.4g}%" width="{width:.2f}%" height="{height:.4g}%"/>'


def dot(kind: str, x: float, y: float = 50.0) -> str:
    """Return a dot at a point in percent."""
    return f'<circle class="{kind}" cx="{x:.2f}%" cy="{y:.4g}%" r="4"/>'


def strips(
    rows: Sequence[tuple[str, str, str]], shown: Scale, title: str, *, described: str, tall: bool = False
) -> Iterator[str]:
    """Yield a figure.

    Parameters
    ----------
    rows : sequence of (label, drawing, words)
        HTML of the label, SVG of the strip, and the text that a screen reader speaks and a pointer shows.
    shown : Scale
        Abscissa.
    title, described : str
        Title of the abscissa; what the figure is.
    tall : bool
        Whether two bars are above one another.
    """
    yield f'<div class="strips{" tall" if tall else ""}" role="group" aria-label="{escape(described)}">'
    lines = grid_lines(shown)
    for label, drawing, words in rows:
        yield (
            f'<div class="label">{label}</div><div class="strip"><svg role="img" aria-label="{escape(words)}">'
            f"<title>{escape(words)}</title>{lines}{drawing}</svg></div>"
        )
    yield f'<div></div><div class="axis"><svg aria-hidden="true">{axis(shown)}</svg></div>'
    yield f'<div class="title">{escape(title)}</div></div>'


def axis(shown: Scale) -> str:
    """Return the labels of the ticks."""
    return "".join(
        f'<text x="{shown.at(value):.2f}%" y="14" text-anchor="middle">{label}</text>' for value, label in shown.ticks()
    )


def legend(items: Iterable[tuple[str, str]]) -> str:
    """Return a legend; each item is the SVG of a mark, 26 by 12, and its words."""
    entries = "".join(
        f'<li><svg viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">{mark}</svg> {escape(words)}</li>'
        for mark, words in items
    )
    return f'<ul class="legend">{entries}</ul>'


def interval_mark(kind: str) -> str:
    """Return the mark of an interval with its estimate, for a legend."""
    return f'<line class="{kind}" x1="0" y1="6" x2="26" y2="6"/><circle class="{kind}" cx="13" cy="6" r="4"/>'


PLUG_IN = '<line class="open mark" x1="13" y1="0" x2="13" y2="12"/>'
NOISE = '<rect class="noise" width="26" height="12"/>'
MARGIN = '<line class="margin" x1="0" y1="6" x2="26" y2="6"/>'
