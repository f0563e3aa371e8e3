"""Answer whether the asymptotic theory holds at a given n.

`asymptopia.theory` holds the analytic results, `asymptopia.verify` the Monte Carlo checks that could refute them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asymptopia import theory, verify

__all__ = ["__version__", "theory", "verify"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in {"theory", "verify"}:
        return import_module(f"asymptopia.{name}")
    message = f"module 'asymptopia' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
