"""Collect what a kernel needs: a function, the functions it calls and the numbers it names, as stripped syntax trees.

The language of a kernel is small on purpose. Whatever it accepts means the same in plain Python, compiled for the CPU
and compiled for a GPU.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any, TypeAlias

from asymptopia.verify.device import primitives

Number: TypeAlias = "bool | int | float | tuple[Number, ...]"

BUILTINS = frozenset({"abs", "bool", "float", "int", "len", "max", "min", "range"})
ALLOWED = (
    "a kernel may use its arguments, numbers, the functions of asymptopia.verify.device, its own functions of the "
    "same kind, module-level numbers and tuples of numbers, and " + ", ".join(sorted(BUILTINS))
)
_STATEMENTS = (ast.FunctionDef, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If)
_JUMPS = (ast.Pass, ast.Break, ast.Continue, ast.Expr)
_EXPRESSIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword)
_ATOMS = (ast.Name, ast.Constant, ast.Tuple, ast.Subscript, ast.arguments, ast.arg)
_SYMBOLS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
_GRAMMAR = _STATEMENTS + _JUMPS + _EXPRESSIONS + _ATOMS + _SYMBOLS
_REMEDY = {
    ast.Pow: "`**` would call the platform's pow: write the product, or exp(y * log(x)) with the device functions",
    ast.MatMult: "there are no arrays in a kernel",
    ast.Attribute: "attributes are not available; import the device function by its name",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A function (`node`) or a number (`value`) of a unit."""

    name: str
    module: str
    node: ast.FunctionDef | None = None
    value: Number | None = None


def collect(roots: Iterable[Callable[..., Any]]) -> tuple[Piece, ...]:
    """Return the pieces that `roots` reach, every piece after those it uses; primitives are each target's own.

    Raises
    ------
    TypeError
        If a function uses something that a kernel cannot have, or two objects share a name.
    """
    pieces: dict[str, Piece] = {}
    objects: dict[str, object] = {}
    open_names: list[str] = []

    def add(name: str, value: object, module: str, user: str) -> None:
        if name in objects:
            if not _same(objects[name], value):
                message = f"{user}: {name!r} names two different objects in this kernel; rename one"
                raise TypeError(message)
            if name in open_names:
                message = f"{user}: {name!r} calls itself; a kernel has loops but no recursion"
                raise TypeError(message)
            return
        objects[name] = value
        if getattr(value, "__module__", None) == primitives.__name__:
            return
        if isinstance(value, FunctionType):
            if value.__name__ != name:
                message = f"{user}: {name!r} is another name of {value.__name__!r}; call it by its own name"
                raise TypeError(message)
            node = function_tree(value)
            open_names.append(name)
            for free in _free_names(node):
                if free in value.__globals__:
                    if free in BUILTINS:
                        message = f"{name}: the global {free!r} hides the builtin; rename it"
                        raise TypeError(message)
                    add(free, value.__globals__[free], value.__module__, name)
                elif free not in BUILTINS:
                    raise TypeError(_unknown(value, free))
            open_names.pop()
            pieces[name] = Piece(name, value.__module__, node=node)
        else:
            pieces[name] = Piece(name, module, value=_number(name, value, user))

    for root in roots:
        if not isinstance(root, FunctionType):
            message = f"a kernel is a plain Python function, not {_describe(root)}"
            raise TypeError(message)
        add(root.__name__, root, root.__module__, root.__name__)
    return tuple(pieces.values())


@lru_cache(maxsize=1024)
def function_tree(function: FunctionType) -> ast.FunctionDef:
    """Return the syntax tree of `function` without decorators, docstring and annotations, checked for the grammar."""
    name = function.__name__
    if function.__code__.co_freevars:
        free = ", ".join(function.__code__.co_freevars)
        message = f"{name}: is a closure over {free}; pass numbers through params or make them module-level; {ALLOWED}"
        raise TypeError(message)
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        message = (
            f"{name}: its source text cannot be read; define it in a file or a notebook cell, "
            "not with exec, python -c or the interactive prompt"
        )
        raise TypeError(message) from error
    try:
        node = ast.parse(source).body[0]
    except SyntaxError:  # a lambda inside a larger expression
        node = ast.Pass()
    if not isinstance(node, ast.FunctionDef):
        message = f"{name}: is not defined by a def statement"
        raise TypeError(message)
    node = _strip(node)
    _check_grammar(node)
    return node


def _strip(node: ast.FunctionDef) -> ast.FunctionDef:
    node.decorator_list = []
    node.returns = None
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:] or [ast.Pass()]
    stripped = _Annotations().visit(node)
    assert isinstance(stripped, ast.FunctionDef)
    return ast.fix_missing_locations(stripped)


class _Annotations(ast.NodeTransformer):
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:  # noqa: N802
        if node.value is None:
            return ast.Pass()
        return ast.Assign(targets=[node.target], value=node.value)


def _check_grammar(node: ast.FunctionDef) -> None:
    name = node.name
    arguments = node.args
    if arguments.defaults or arguments.kw_defaults or arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        message = f"{name}: a function of a kernel has plain positional arguments without defaults"
        raise TypeError(message)
    for item in ast.walk(node):
        bad = not isinstance(item, _GRAMMAR) or isinstance(item, ast.Pow | ast.MatMult)
        bad |= isinstance(item, ast.FunctionDef) and item is not node
        bad |= isinstance(item, ast.Expr)
        bad |= isinstance(item, ast.For | ast.While) and bool(item.orelse)
        if isinstance(item, ast.Constant):
            bad |= not isinstance(item.value, bool | int | float)
            if isinstance(item.value, int):
                _fits(item.value, name)
        if bad:
            what = _REMEDY.get(type(item), f"{type(item).__name__} is not part of the language of kernels")
            line = getattr(item, "lineno", None)
            where = f"{name}, line {line} of its definition" if line else name
            message = f"{where}: {what}; {ALLOWED}"
            raise TypeError(message)


def _free_names(node: ast.FunctionDef) -> list[str]:
    local = {argument.arg for argument in node.args.args}
    used: dict[str, None] = {}
    for item in ast.walk(node):
        if isinstance(item, ast.Name):
            if isinstance(item.ctx, ast.Load):
                used[item.id] = None
            else:
                local.add(item.id)
    return [name for name in used if name not in local]


def _number(name: str, value: object, user: str) -> Number:
    """Return `value` as a plain number, or raise the error that names the function and the global."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        _fits(value, user)
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, tuple) and value:
        return tuple(_number(name, item, user) for item in value)
    message = f"{user}: uses the global {name!r}, {_describe(value)}; {ALLOWED}"
    raise TypeError(message)


def _fits(value: int, user: str) -> None:
    if not -(2**63) <= value < 2**63:
        message = f"{user}: the integer {value} is outside the signed 64-bit range"
        raise TypeError(message)


def _same(first: object, second: object) -> bool:
    if first is second:
        return True
    numbers = bool | int | float | tuple
    if isinstance(first, numbers) and isinstance(second, numbers):
        return repr(first) == repr(second)
    return False


def _unknown(function: FunctionType, name: str) -> str:
    if hasattr(builtins, name):
        return f"{function.__name__}: uses the builtin {name!r}; {ALLOWED}"
    return f"{function.__name__}: uses {name!r}, which is not defined in {function.__module__}; {ALLOWED}"


def _describe(value: object) -> str:
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    return f"a {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
