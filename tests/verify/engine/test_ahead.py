"""Kernels compiled in other processes: they fill the cache, and whatever becomes of them the run goes on."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest

from asymptopia.theory._core import units
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine import ahead, cpu
from asymptopia.verify.engine.ahead import Ahead, serve
from asymptopia.verify.engine.build import Kernel, compile_kernel, unit_source
from asymptopia.verify.engine.run import run
from asymptopia.verify.engine.task import Workshop

pytestmark = pytest.mark.skipif(not cpu.compiler_is_on(), reason="numba's compiler is switched off")


def first_power(stream: Stream, params: list[float]) -> float:
    u, _j = uniform(stream, 0)
    return u


def second_power(stream: Stream, params: list[float]) -> float:
    u, _j = uniform(stream, 0)
    return u * u


def third_power(stream: Stream, params: list[float]) -> float:
    u, _j = uniform(stream, 0)
    return u * u * u


def misses(stream: Stream, params: list[float]) -> float:
    u, _j = uniform(stream, 0)
    return u if u < 0.5 else (u, u)  # type: ignore[return-value]


NEVER_READY = "import time; time.sleep(600)"
POWERS = [Kernel(item, ("power",)) for item in (first_power, second_power, third_power)]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASYMPTOPIA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(units, "_loaded", {})
    cpu.library_unit.cache_clear()
    yield tmp_path
    cpu.library_unit.cache_clear()


def awaited(kernels: list[Kernel]) -> list[str]:
    names = [(kernel.replicate.__name__, unit_source(kernel, "cpu")) for kernel in kernels]
    return [name for name, source in names if units.awaits_compiling(name, source, "_run")]


def until(condition: object, seconds: float = 120.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_another_process_fills_the_cache(empty: Path) -> None:
    del empty
    with Ahead(POWERS, 2) as compiling:
        assert len(compiling._processes) == 1
        assert until(lambda: not awaited(POWERS))
        compiling.wait(POWERS[-1])
    assert compiling._processes[0].poll() is not None
    # nothing is left to be done
    with Ahead(POWERS, 2) as compiling:
        assert compiling._processes == []


def test_what_no_process_has_begun_is_left_to_the_caller(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del empty
    monkeypatch.setattr(ahead, "_COMMAND", NEVER_READY)
    with Ahead(POWERS, 2) as compiling:
        compiling.wait(POWERS[1])
        assert awaited(POWERS) == ["first_power", "second_power", "third_power"]
        assert len(compiling._waiting) == 2
        # once is enough
        compiling.wait(POWERS[1])


def test_kernels_of_one_source_share_an_order(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del empty
    monkeypatch.setattr(ahead, "_COMMAND", NEVER_READY)
    twin = Kernel(first_power, ("another name",))
    with Ahead([*POWERS, twin], 2) as compiling:
        assert len({id(order) for order in compiling._orders.values()}) == len(compiling._waiting) == 3
        compiling.wait(POWERS[0])
        compiling.wait(twin)


@pytest.mark.parametrize("threads", [1, 2])
def test_how_many_processes(empty: Path, threads: int) -> None:
    del empty
    few = POWERS if threads == 1 else POWERS[:2]
    with Ahead(few, threads) as compiling:
        assert compiling._processes == []
        compiling.wait(few[0])


@pytest.mark.parametrize(
    "command",
    ["import no_such_module", "print('ready', flush=True); input()", NEVER_READY],
    ids=["cannot import", "dies at work", "never ready"],
)
def test_a_process_that_fails_holds_nothing_up(empty: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    del empty
    monkeypatch.setattr(ahead, "_COMMAND", command)
    with Ahead(POWERS, 2) as compiling:
        if "time" not in command:
            assert until(lambda: compiling._processes[0].poll() is not None)
        workshop = Workshop("cpu", compiling)
        started = time.monotonic()
        for kernel in POWERS:
            compiling.wait(kernel)
        assert time.monotonic() - started < 60.0
        compiled, digest = workshop.build(POWERS[0])
        assert callable(compiled)
        assert len(digest) == 64
    assert compiling._processes[0].poll() is not None


@pytest.mark.parametrize("name", ["python-missing", "an application", None])
def test_no_interpreter_to_start(empty: Path, monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    monkeypatch.setattr(sys, "executable", name and str(empty / name))
    with Ahead(POWERS, 2) as compiling:
        assert compiling._processes == []
        compiling.wait(POWERS[0])


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").write_text("", encoding="utf-8")
    monkeypatch.setenv("ASYMPTOPIA_CACHE_DIR", str(tmp_path / "blocked"))
    with Ahead(POWERS, 2) as compiling:
        assert compiling._processes == []


def test_an_error_is_raised_where_the_kernel_is_needed(empty: Path) -> None:
    del empty
    wrong = Kernel(misses, ("power",))
    answers = io.StringIO()
    library = unit_source(POWERS[0], "cpu")
    # what Ahead leaves out: no kernel at all
    with Ahead([wrong, *POWERS], 1):
        pass
    serve(io.StringIO(json.dumps(["broken", "raise ValueError"]) + "\n" + json.dumps(["first", library])), answers)
    assert answers.getvalue().split() == ["ready", "done", "done"]
    with pytest.raises(TypeError, match="misses"):
        compile_kernel(wrong)


def test_a_report_does_not_depend_on_it(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from asymptopia.verify.checks import select

    checks = select(["engine"])
    found = {entry.id: entry.digest for entry in run(checks, profile="quick", threads=2).entries}
    monkeypatch.setenv("ASYMPTOPIA_CACHE_DIR", str(empty / "another"))
    units._loaded.clear()
    cpu.library_unit.cache_clear()
    assert found == {entry.id: entry.digest for entry in run(checks, profile="quick", threads=1).entries}
