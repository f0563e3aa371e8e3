"""Run generated source as plain Python, so that tracebacks and debuggers see its lines."""

from __future__ import annotations

import hashlib
import inspect
import linecache
from collections.abc import Iterable
from typing import Any

from asymptopia.verify.device import primitives
from asymptopia.verify.engine.collect import Piece
from asymptopia.verify.engine.emit import emit

_SCRATCH = "\n\ndef _scratch(n):\n    return [0.0] * n\n"


def self_contained(pieces: Iterable[Piece], loop: str) -> str:
    """Return the source of a loop with all that it uses, primitives included."""
    return inspect.getsource(primitives) + _SCRATCH + emit(pieces) + loop


def interpret(stem: str, source: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the names that `source` defines; `given` is defined before it runs."""
    filename = f"<asymptopia unit {stem} {hashlib.sha256(source.encode()).hexdigest()[:16]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": filename, **(given or {})}
    exec(compile(source, filename, "exec"), namespace)
    return namespace
