"""The base of every result: summary, JSON round trip, data frame, HTML and plot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from asymptopia.theory._core.encode import decode, encode
from asymptopia.theory._core.lazy import resolve
from asymptopia.theory._core.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = 1
_LEFT = "text-align:left"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Base of the frozen result dataclasses.

    A subclass states its `title`, yields the lines of its summary and names its plot function; it never holds
    the user's rows. Conversion to JSON is exact: every float comes back with the same bits. A subclass that holds
    arrays is declared with ``eq=False``, so that it compares as this class does.
    """

    title: ClassVar[str] = "Result"
    plotter: ClassVar[str] = ""
    """Plot function as ``"package.module:function"``; it takes the result and ``ax``."""

    status: Status

    def __eq__(self, other: object) -> bool:
        """Return True for a result of the same class with the same fields; arrays compare whole, NaN equals NaN."""
        return isinstance(other, Result) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __reduce__(self) -> tuple[Any, ...]:
        # the state of a dataclass would skip __post_init__, and numpy forgets that an array is read-only
        return _rebuild, (type(self), tuple(getattr(self, item.name) for item in fields(self)))

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Yield (label, value) pairs of the summary."""
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "status" and isinstance(value, bool | int | float | str):
                yield item.name, format_number(value) if isinstance(value, float) else str(value)

    def _columns(self) -> Mapping[str, Any]:
        """Return the columns of the data frame, one entry a row."""
        return {
            item.name: [value]
            for item in fields(self)
            if isinstance(value := getattr(self, item.name), bool | int | float | str)
        }

    def summary(self) -> str:
        """Return the result as aligned text, the status first."""
        lines = [*self._lines()]
        width = max((len(label) for label, _ in lines), default=0)
        head = [self.title, f"  {'status':<{width}}  {self.status}"]
        return "\n".join(head + [f"  {label:<{width}}  {value}" for label, value in lines])

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='{_LEFT}'>{escape(label)}</th>"
            f"<td style='{_LEFT};white-space:pre-wrap'>{escape(value)}</td></tr>"
            for label, value in [("status", str(self.status)), *self._lines()]
        )
        return f"<table class='dataframe'><caption>{escape(self.title)}</caption><tbody>{rows}</tbody></table>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `json.dumps` accepts and `from_dict` reads back to an equal result."""
        body = {item.name: encode(getattr(self, item.name)) for item in fields(self)}
        kind = type(self)
        return {"schema": SCHEMA, "type": f"{kind.__module__}:{kind.__qualname__}", **body}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the result that `to_dict` wrote.

        Raises
        ------
        ValueError
            If the data are of another schema or of a type that is not this class or a subclass of it.
        """
        if data.get("schema") != SCHEMA:
            message = f"data has schema {data.get('schema')!r}; this version reads schema {SCHEMA}"
            raise ValueError(message)
        name = str(data.get("type", ""))
        if not name.startswith("asymptopia."):
            message = f"data has type {name!r}; expected a result of asymptopia"
            raise ValueError(message)
        kind = resolve(name)
        if not (isinstance(kind, type) and issubclass(kind, cls)):
            message = f"data is a {name!r}, which is no {cls.__name__}"
            raise ValueError(message)
        body = {item.name: decode(data[item.name]) for item in fields(kind)}
        return kind(**body)

    def to_json(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the result that `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the result as a native data frame.

        Parameters
        ----------
        backend : str
            A data frame library that narwhals knows: ``"pandas"``, ``"polars"``, ``"pyarrow"``.

        Raises
        ------
        ModuleNotFoundError
            If that library is not installed.
        """
        import narwhals as nw

        return nw.from_dict(dict(self._columns()), backend=cast("Any", backend)).to_native()

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the result and return the Axes; `ax` is created where it is None."""
        if not self.plotter:
            message = f"{type(self).__name__} has no plot"
            raise TypeError(message)
        draw: Any = resolve(self.plotter)
        axes: Axes = draw(self, ax=ax, **options)
        return axes


def format_number(value: float, digits: int = 6) -> str:
    """Return a number for people: `digits` significant digits, no trailing zeros."""
    return f"{value:.{digits}g}"


def _rebuild(kind: type[Result], values: tuple[Any, ...]) -> Result:
    """Return the result of these fields, its arrays read-only."""
    _lock(values)
    return kind(**{item.name: value for item, value in zip(fields(kind), values, strict=True)})


def _lock(value: Any) -> None:
    """Make the arrays in nested tuples read-only."""
    if isinstance(value, tuple):
        for item in value:
            _lock(item)
    elif hasattr(value, "setflags"):
        value.setflags(write=False)
