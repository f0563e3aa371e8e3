"""Progress bars: on a terminal, in a notebook, and nowhere else."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from asymptopia import _progress, verify
from asymptopia._cli import main
from asymptopia.verify.engine.run import Progress

CHECK = "engine.largest_normal"


def shell(**attributes: Any) -> SimpleNamespace:
    return SimpleNamespace(get_ipython=lambda: SimpleNamespace(**attributes))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_notebook_is_told_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, expected in [
        (None, False),
        (shell(), False),  # IPython in a terminal
        (SimpleNamespace(get_ipython=lambda: None), False),  # imported, not running
        (shell(kernel=object()), True),
    ]:
        monkeypatch.setitem(sys.modules, "IPython", found)
        assert _progress.in_notebook() is expected


def test_a_kernel_is_a_notebook() -> None:
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    code = (
        "from ipykernel.inprocess.ipkernel import InProcessKernel\n"
        "from asymptopia import _progress\n"
        "assert not _progress.in_notebook()\n"
        "kernel = InProcessKernel()\n"
        "assert _progress.in_notebook()\n"
        "import os; os._exit(0)\n"  # no thread of the kernel is waited for
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def told(*pairs: tuple[int, bool], case: str = "a case") -> list[Progress]:
    return [Progress(case=case, done=done, budget=1000, finished=finished) for done, finished in pairs]


def test_a_pipe_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        with _progress.watched("auto") as show:
            assert show is None


def test_a_terminal_gets_a_bar_that_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with _progress.watched("auto") as show:
        assert show is not None
        # the case starts again with wider sums, and another follows that never ends
        for news in [*told((100, False), (300, True), (100, False), (400, True)), *told((9, False), case="b")]:
            show(news)
    text = stream.getvalue()
    assert "9/1000" in text
    # the last line is taken away and the cursor shown
    assert "\x1b[2K" in text.rpartition("9/1000")[2]
    assert text.endswith("\x1b[?25h") or "\x1b[?25h" in text[-40:]


def test_a_notebook_gets_the_bar_of_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    monkeypatch.setitem(sys.modules, "IPython", shell(kernel=object(), config={}))
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with _progress.watched("auto") as show:
        assert show is not None
        for news in told((100, False), (300, True)):
            show(news)
    assert not stream.getvalue().strip()
    monkeypatch.setattr(_progress, "DELAY", 0.0)
    with _progress.watched("auto") as show:
        assert show is not None
        for news in [*told((100, False), (300, True), (50, False)), *told((9, False), case="b")]:
            show(news)
    text = stream.getvalue()
    assert "a case" in text
    assert "1.00k" in text
    # cleared at the end
    assert text.endswith("\r")
    assert not text.rpartition("\r")[0].rpartition("\r")[2].strip()


def test_without_tqdm_a_notebook_stays_silent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", shell(kernel=object()))
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with _progress.watched("auto") as show:
        assert show is None
    assert "tqdm is not installed" in caplog.text


def test_run_takes_a_callback_or_none_and_no_number_depends_on_it() -> None:
    seen: list[Progress] = []
    reports = [verify.run(CHECK, profile="quick", progress=asked) for asked in ("auto", None, seen.append)]
    assert seen
    assert seen[-1].finished
    assert len({tuple(entry.digest for entry in report.entries) for report in reports}) == 1
    for bad in ("yes", True, 1):
        with pytest.raises(ValueError, match=r"progress is .*; expected 'auto', None or a callable"):
            verify.run(CHECK, profile="quick", progress=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [[], ["--quiet"]])
def test_the_command_watches_unless_it_is_quiet(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from asymptopia.verify import cli

    asked: list[object] = []

    def spy(wanted: object) -> object:
        asked.append(wanted)
        return _progress.watched(None)

    monkeypatch.setattr(cli, "watched", spy)
    assert main(["verify", CHECK, "--profile", "quick", *words]) == 0
    assert asked == [None if words else "auto"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals")
def test_a_script_draws_on_a_terminal_and_its_output_stays_clean() -> None:
    ours, theirs = os.openpty()
    code = (
        "from asymptopia._progress import watched\n"
        "from types import SimpleNamespace\n"
        "with watched('auto') as show:\n"
        "    show(SimpleNamespace(case='a case', done=9, budget=1000, finished=False))\n"
        "print('done')\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=os.environ | {"TERM": "xterm"}) as made:
        os.close(theirs)
        drawn = b""
        # on Linux reading fails once the other end is closed
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 4096):
                drawn += piece
        assert made.stdout is not None
        printed = made.stdout.read()
    os.close(ours)
    assert made.returncode == 0
    assert printed.split() == [b"done"]
    assert b"a case" in drawn
    assert b"9/1000" in drawn
