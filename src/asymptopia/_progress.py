"""Progress of a long run: a bar where somebody watches, nothing in pipes and files."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from asymptopia.theory._core.validation import fail

if TYPE_CHECKING:
    from asymptopia.verify.engine.run import Progress, ProgressCallback

logger = logging.getLogger(__name__)
DELAY = 1.0
"""Seconds before a notebook shows a bar: a short run leaves no trace in its cell."""


@contextmanager
def watched(asked: ProgressCallback | Literal["auto"] | None) -> Iterator[ProgressCallback | None]:
    """Yield the callback that `asked` stands for.

    ``"auto"`` is a bar of rich on a terminal, one of tqdm in a notebook if tqdm is installed, and nothing elsewhere.

    Raises
    ------
    ValueError
        If `asked` is neither ``"auto"``, None nor callable.
    """
    if asked is None or callable(asked):
        yield asked
    elif asked != "auto":
        raise fail("progress", asked, "'auto', None or a callable that takes a Progress")
    elif in_notebook():
        with _notebook_bar() as show:
            yield show
    elif sys.stderr is not None and sys.stderr.isatty():
        with _terminal_bar() as show:
            yield show
    else:
        yield None


def in_notebook() -> bool:
    """Return True inside a Jupyter kernel; IPython in a terminal is a terminal."""
    # whoever runs in a kernel has IPython loaded
    found = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = found() if found is not None else None
    return hasattr(shell, "kernel")


@contextmanager
def _terminal_bar() -> Iterator[ProgressCallback]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from asymptopia._cli.console import console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console(sys.stderr), transient=True) as bar:
        tasks = {}

        def show(news: Progress) -> None:
            if news.case not in tasks:
                tasks[news.case] = bar.add_task(news.case, total=news.budget)
            # a verdict before the budget is spent fills the bar
            bar.update(tasks[news.case], completed=news.budget if news.finished else news.done)
            if news.finished:
                bar.remove_task(tasks.pop(news.case))

        yield show


@contextmanager
def _notebook_bar() -> Iterator[ProgressCallback | None]:
    try:
        make = _tqdm()
    except ModuleNotFoundError:
        logger.info("no progress is shown: tqdm is not installed")
        yield None
        return
    bars: dict[str, Any] = {}

    def close() -> None:
        while bars:
            bars.popitem()[1].close()

    def show(news: Progress) -> None:
        if news.case not in bars:
            # cases run one after another: one bar at a time
            close()
            bars[news.case] = make(total=news.budget, desc=news.case, unit_scale=True, leave=False, delay=DELAY)
        bars[news.case].update(news.done - bars[news.case].n)
        if news.finished:
            close()

    try:
        yield show
    finally:
        close()


def _tqdm() -> Callable[..., Any]:
    """Return the bar that tqdm takes for this kernel: widgets, or text where ipywidgets are missing."""
    with warnings.catch_warnings():
        # it warns of missing ipywidgets, and falls back to text by itself
        warnings.simplefilter("ignore")
        made: Callable[..., Any] = import_module("tqdm.auto").tqdm
    return made
