"""Compile the kernels of a run in other processes while it goes on: numba compiles one function at a time in one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from asymptopia.theory._core.units import awaits_compiling, load_unit
from asymptopia.verify.engine import cpu

if TYPE_CHECKING:
    from asymptopia.verify.engine.build import Kernel

PROCESSES = 4
"""Most processes that compile; each needs up to 500 MB."""
PER_PROCESS = 3
"""Kernels to compile for which a process is started: it takes about as long to start as to compile one."""
_COMMAND = "from asymptopia.verify.engine.ahead import serve; serve()"


@dataclass(slots=True)
class _Order:
    """A unit that is to be compiled."""

    stem: str
    source: str
    done: threading.Event = field(default_factory=threading.Event)


class Ahead:
    """Processes that fill the cache of machine code; a context manager.

    Parameters
    ----------
    kernels : iterable of Kernel
        What to compile, in the order in which it will be needed. Those whose machine code lies in the cache are left
        out.
    threads : int
        Threads of the run: this process counts as one, others are started for the rest.

    Notes
    -----
    Nothing depends on it but time: a kernel that no process has compiled when it is needed is compiled here, where an
    error in it is raised, too.
    """

    def __init__(self, kernels: Iterable[Kernel], threads: int) -> None:
        self._orders = _orders(kernels) if threads > 1 and _is_interpreter() and cpu.compiler_is_on() else {}
        # kernels of one source share an order
        self._waiting = list({id(order): order for order in self._orders.values()}.values())
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._feeders: list[threading.Thread] = []
        self._count = min(threads - 1, PROCESSES, len(self._waiting) // PER_PROCESS)

    def __enter__(self) -> Self:
        """Start the processes."""
        for _ in range(self._count):
            with contextlib.suppress(OSError):
                self._start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop them, whatever they are at."""
        with self._lock:
            self._waiting.clear()
        for process in self._processes:
            process.kill()
        for feeder in self._feeders:
            feeder.join()

    def wait(self, kernel: Kernel) -> None:
        """Return when the kernel's machine code lies in the cache, or no process will put it there.

        While another process is at it, this one compiles what is needed last.
        """
        order = self._orders.get(kernel)
        if order is None:
            return
        with self._lock:
            if any(other is order for other in self._waiting):
                self._waiting = [other for other in self._waiting if other is not order]
                # the caller compiles it
                order.done.set()
        while not order.done.is_set() and (last := self._next(-1)) is not None:
            _compile(last.stem, last.source)
            last.done.set()
        order.done.wait()

    def _start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            # an interrupt from the keyboard is for the run, which stops them
            start_new_session=os.name == "posix",
        )
        feeder = threading.Thread(target=self._feed, args=(process,), daemon=True)
        self._processes.append(process)
        self._feeders.append(feeder)
        feeder.start()

    def _next(self, place: int = 0) -> _Order | None:
        with self._lock:
            return self._waiting.pop(place) if self._waiting else None

    def _feed(self, process: subprocess.Popen[str]) -> None:
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            # a process that cannot import asymptopia must not hold up an order
            alive = bool(process.stdout.readline())
            while alive and (order := self._next()) is not None:
                try:
                    process.stdin.write(json.dumps([order.stem, order.source]) + "\n")
                    process.stdin.flush()
                    alive = bool(process.stdout.readline())
                except OSError:
                    alive = False
                finally:
                    order.done.set()
            # what it still holds unwritten has no reader
            with contextlib.suppress(OSError):
                process.stdin.close()


def serve(orders: IO[str] | None = None, answers: IO[str] | None = None) -> None:
    """Compile the units that come in, a line of JSON each, and answer each with a line."""
    answers = answers or sys.stdout
    cpu.library_unit()
    answers.write("ready\n")
    answers.flush()
    for line in orders or sys.stdin:
        _compile(*json.loads(line))
        answers.write("done\n")
        answers.flush()


def _is_interpreter() -> bool:
    # in a program that embeds Python the executable is that program
    return "python" in Path(sys.executable or "").name.lower() and not getattr(sys, "frozen", False)


def _compile(stem: str, source: str) -> None:
    # an error is raised where the kernel is needed, with its name
    with contextlib.suppress(Exception):
        load_unit(stem, source)


def _orders(kernels: Iterable[Kernel]) -> dict[Kernel, _Order]:
    """Return an order for each kernel whose machine code is not in the cache."""
    from asymptopia.verify.engine.build import unit_source

    found: dict[Kernel, _Order] = {}
    by_source: dict[str, _Order] = {}
    for kernel in dict.fromkeys(kernels):
        try:
            source = unit_source(kernel, "cpu")
        except TypeError:
            # no kernel at all; the run says why
            continue
        stem = kernel.replicate.__name__
        if awaits_compiling(stem, source, "_run"):
            found[kernel] = by_source.setdefault(source, _Order(stem, source))
    return found
