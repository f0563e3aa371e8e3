"""What the tabs of the explorer share: controls, figures without pyplot, SVG whose colours follow the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from asymptopia.theory._core.result import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, ACCENT, SOFT, NOISE, STEADY = "#1f3a5f", "#c8553d", "#8fa8c4", "#b9b9b9", "#3f8f6b"
SIZE = (10.4, 4.6)
MARGINS = {"left": 0.075, "right": 0.985, "bottom": 0.125, "top": 0.925, "wspace": 0.2}
"""Fixed: to measure every label first takes longer than to draw them."""

NIGHT = {
    INK: "#b4cdec",
    ACCENT: "#f08a70",
    SOFT: "#7f9cc0",
    NOISE: "#76808c",
    STEADY: "#6fc39a",
    "#000000": "#e4e9ef",
    "#696969": "#b3bdc8",
    "#ffffff": "var(--background, #14181d)",
}
"""What each colour of the figures becomes on a dark page."""
_COLOUR = re.compile("|".join(NIGHT), re.IGNORECASE)
_HEAD = re.compile(r"<svg\b[^>]*>")
_BOX = re.compile(r'viewBox="[^"]*"')


class Control(NamedTuple):
    """A slider or a list to choose from."""

    name: str
    """Argument of the drawing function."""
    label: str
    values: tuple[Any, ...]
    """Numbers, ascending, for a slider; words for a list."""
    start: Any

    @property
    def choice(self) -> bool:
        """Whether it is a list to choose from."""
        return isinstance(self.start, str)


class Drawing(NamedTuple):
    """A figure and what it says."""

    figure: Figure
    sentence: str


class Tab(NamedTuple):
    """A page of the explorer."""

    title: str
    question: str
    controls: tuple[Control, ...]
    draw: Callable[..., Drawing]

    @property
    def start(self) -> dict[str, Any]:
        """Return the values that the controls start from."""
        return {control.name: control.start for control in self.controls}


def panels(count: int = 2) -> tuple[Figure, list[Any]]:
    """Return a figure that no window manager knows, and its Axes side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(**MARGINS)
    return figure, [*figure.subplots(1, count, squeeze=False)[0]]


def legend(ax: Axes, **options: Any) -> None:
    """Add a legend on a ground that lets no line run through its words."""
    ax.legend(fontsize="small", framealpha=0.85, facecolor="white", edgecolor="none", **options)


def log_axis(axis: Any) -> None:
    """Make an axis logarithmic, with few ticks and plain labels: minor ticks and formulas take longest to draw."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 150.0 * low else (1.0,), numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def plain(value: float) -> str:
    """Return the label of a tick: digits from 0.001 to 10,000, a power of ten beyond."""
    if 1e-3 <= value < 1e5:
        return f"{value:,.12g}"
    mantissa, _, power = f"{value:.0e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if mantissa == "1" else f"{mantissa}·10{raised}"


def svg(drawing: Drawing) -> str:
    """Return the figure as SVG as wide as its place; each colour is a variable of `style`."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"]}):
        drawing.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    box = _BOX.search(text)
    label = escape(drawing.sentence, quote=True)
    head = f'<svg class="asymptopia" role="img" aria-label="{label}" {box[0] if box else ""} '
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    text = _HEAD.sub(lambda _: head + names, text, count=1)
    # the metadata name their schema by address, which nothing here needs
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return _COLOUR.sub(lambda found: f"var(--asy-{found[0][1:].lower()})", text)


def style() -> str:
    """Return the style sheet of the figures: their colours by day and by night.

    The page says by a class or by ``color-scheme`` that it is dark; a page that says neither follows the system.
    """

    def colours(table: Mapping[str, str]) -> str:
        return " ".join(f"--asy-{name[1:]}: {value};" for name, value in table.items())

    day = {name: name for name in NIGHT}
    return (
        f":root {{ {colours(day)} }} .dark, .dark-theme, [data-theme=dark] {{ {colours(NIGHT)} }} "
        "svg.asymptopia { width: 100%; height: auto; fill: var(--asy-000000); }"
    )


def short(value: float) -> str:
    """Return a number of three digits for a sentence."""
    return format_number(value, 3)


def count(value: float) -> str:
    """Return a whole number with separators, a power of ten where it is long."""
    return f"{value:,.0f}" if value < 1e7 else f"{value:.3g}".replace("e+0", "e").replace("e+", "e")


def percent(value: float) -> str:
    """Return a share."""
    return f"{100.0 * value:.3g} %"


def powers(low: int, high: int, steps: tuple[int, ...] = (1, 2, 5)) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, ... from 10**low to 10**high."""
    return (*(step * 10**power for power in range(low, high) for step in steps), 10**high)
