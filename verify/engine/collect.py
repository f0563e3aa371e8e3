"""Collect what functions need: those they call and the numbers they name, as one flat list without imports."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

from asymptopia.verify.device import primitives
from asymptopia.verify.engine.grammar import ALLOWED, BUILTINS, fits, free_names, function_tree

Number: TypeAlias = "bool | int | float | tuple[Number, ...]"


@dataclass(frozen=True, slots=True)
class Piece:
    """A function (`tree`) or a number (`value`) of a unit."""

    name: str
    module: str
    tree: ast.FunctionDef | None = None
    value: Number | None = None


def collect(roots: Iterable[Callable[..., Any]]) -> tuple[Piece, ...]:
    """Return the pieces that `roots` reach, every piece after those it uses; primitives are each target's own.

    Raises
    ------
    TypeError
        If a function uses something that a kernel cannot have, or two objects share a name.
    """
    collector = _Collector()
    for root in roots:
        if not isinstance(root, FunctionType):
            message = f"a kernel is made of plain Python functions, not of {_describe(root)}"
            raise TypeError(message)
        collector.add(root.__name__, root, root.__module__, root.__name__)
    return tuple(collector.pieces)


def same_piece(first: Piece, second: Piece) -> bool:
    """Return whether two pieces are the same function or the same number."""
    return first.tree is second.tree and repr(first.value) == repr(second.value)


class _Collector:
    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._objects: dict[str, object] = {}
        self._open: list[str] = []

    def add(self, name: str, value: object, module: str, user: str) -> None:
        """Add the object that the function `user` calls `name`, after everything it needs itself."""
        if name in self._open and self._objects[name] is value:
            message = f"{user}: {name!r} calls itself; a kernel has loops but no recursion"
            raise TypeError(message)
        if name in self._objects:
            if not _same(self._objects[name], value):
                message = f"{user}: {name!r} names two different objects in this kernel; rename one of them"
                raise TypeError(message)
            return
        self._objects[name] = value
        if not isinstance(value, FunctionType):
            self.pieces.append(Piece(name, module, value=_number(name, value, user)))
        elif value.__name__ != name:
            message = f"{user}: {name!r} is another name of the function {value.__name__!r}; use that name"
            raise TypeError(message)
        elif value.__module__ != primitives.__name__:
            self._open.append(name)
            tree = function_tree(value)
            for free in free_names(tree):
                self._resolve(value, free)
            self._open.pop()
            self.pieces.append(Piece(name, value.__module__, tree=tree))

    def _resolve(self, function: FunctionType, name: str) -> None:
        user = function.__name__
        if name in function.__globals__:
            if name in BUILTINS:
                message = f"{user}: the global {name!r} hides a builtin; rename it"
                raise TypeError(message)
            self.add(name, function.__globals__[name], function.__module__, user)
        elif name not in BUILTINS:
            known = hasattr(builtins, name)
            what = f"the builtin {name!r}" if known else f"{name!r}, which {function.__module__} does not define"
            message = f"{user}: uses {what}; {ALLOWED}"
            raise TypeError(message)


def _number(name: str, value: object, user: str) -> Number:
    """Return `value` as a plain number, or raise the error that names the function and the global."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        fits(value, user)
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, tuple) and value:
        return tuple(_number(name, item, user) for item in value)
    message = f"{user}: uses the global {name!r}, {_describe(value)}; {ALLOWED}"
    raise TypeError(message)


def _same(first: object, second: object) -> bool:
    if isinstance(first, FunctionType) or isinstance(second, FunctionType):
        return first is second
    return type(first) is type(second) and repr(first) == repr(second)


def _describe(value: object) -> str:
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    return f"an object of type {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
