"""The language of kernels: read a function's syntax tree and refuse what would not mean the same on every target.

What it accepts does mean the same, but for integers beyond 64 bits and divisions by zero, where plain Python is strict.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import lru_cache
from types import FunctionType

BUILTINS = frozenset({"abs", "bool", "float", "int", "len", "max", "min", "range"})
ALLOWED = (
    "a kernel may use its arguments, numbers, the functions of asymptopia.verify.device, its own functions of the "
    "same kind, module-level numbers and tuples of numbers, and " + ", ".join(sorted(BUILTINS))
)
_STATEMENTS = (ast.FunctionDef, ast.Return, ast.Assign, ast.AugAssign, ast.For, ast.While, ast.If)
_JUMPS = (ast.Pass, ast.Break, ast.Continue)
_EXPRESSIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword)
_ATOMS = (ast.Name, ast.Constant, ast.Tuple, ast.Subscript, ast.arguments, ast.arg)
_SYMBOLS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
_GRAMMAR = _STATEMENTS + _JUMPS + _EXPRESSIONS + _ATOMS + _SYMBOLS
_REMEDIES: dict[type[ast.AST], str] = {
    ast.Pow: "`**` would call the platform's pow; write the product, or exp(y * log(x)) with the device functions",
    ast.MatMult: "there are no arrays in a kernel",
    ast.Attribute: "an attribute such as math.log is not available; import a device function by its name",
    ast.FunctionDef: "a function inside a function is not available; define it at module level",
    ast.Lambda: "a lambda is not available; define a function at module level",
}


@lru_cache(maxsize=4096)
def function_tree(function: FunctionType) -> ast.FunctionDef:
    """Return the syntax tree of `function` without decorators, docstring and annotations.

    Raises
    ------
    TypeError
        If the source text cannot be read or holds what is not part of the language of kernels.
    """
    name = function.__name__
    if function.__code__.co_freevars:
        free = ", ".join(function.__code__.co_freevars)
        message = (
            f"{name}: is a closure over {free}; pass numbers through params or define them in the module; {ALLOWED}"
        )
        raise TypeError(message)
    try:
        lines, _ = inspect.findsource(function)
        trees = _functions_of("".join(lines))
    except (OSError, SyntaxError) as error:
        message = (
            f"{name}: its source text cannot be read; define it in a file or a notebook cell, "
            "not with exec, python -c or the interactive prompt"
        )
        raise TypeError(message) from error
    tree = trees.get(function.__code__.co_firstlineno)
    if tree is None or tree.name != name:
        message = f"{name}: no def statement of this name at its line; was the file edited after it was imported?"
        raise TypeError(message)
    stripped = _strip(tree)
    _check(stripped)
    return stripped


def free_names(tree: ast.FunctionDef) -> list[str]:
    """Return the names that a function takes from its module or the builtins, in order of use."""
    local = {argument.arg for argument in tree.args.args}
    used: dict[str, None] = {}
    for item in ast.walk(tree):
        if isinstance(item, ast.Name):
            if isinstance(item.ctx, ast.Load):
                used[item.id] = None
            else:
                local.add(item.id)
    return [name for name in used if name not in local]


def fits(value: int, user: str) -> None:
    """Raise TypeError if `value` is not a signed 64-bit integer."""
    if not -(2**63) <= value < 2**63:
        message = f"{user}: the integer {value} is outside the signed 64-bit range"
        raise TypeError(message)


@lru_cache(maxsize=64)
def _functions_of(text: str) -> dict[int, ast.FunctionDef]:
    """Return the functions of a source file by the line that their code objects name: the first decorator's."""
    functions = (item for item in ast.walk(ast.parse(text)) if isinstance(item, ast.FunctionDef))
    return {min([item.lineno, *(d.lineno for d in item.decorator_list)]): item for item in functions}


class _Annotations(ast.NodeTransformer):
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.copy_location(ast.arg(arg=node.arg), node)


def _strip(tree: ast.FunctionDef) -> ast.FunctionDef:
    body = tree.body
    if ast.get_docstring(tree, clean=False) is not None:
        body = body[1:] or [ast.copy_location(ast.Pass(), body[0])]
    bare = ast.FunctionDef(name=tree.name, args=tree.args, body=body, decorator_list=[])
    bare.returns = None
    if sys.version_info >= (3, 12):
        bare.type_params = []
    stripped = _Annotations().visit(ast.copy_location(bare, tree))
    assert isinstance(stripped, ast.FunctionDef)
    return stripped


def _check(tree: ast.FunctionDef) -> None:
    arguments = tree.args
    if arguments.defaults or arguments.kwonlyargs or arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        message = f"{tree.name}: a function of a kernel has plain arguments without defaults; {ALLOWED}"
        raise TypeError(message)
    for item in ast.walk(tree):
        if isinstance(item, ast.Constant) and isinstance(item.value, int):
            fits(item.value, tree.name)
        # operators carry no line of their own
        part = item.op if isinstance(item, ast.BinOp | ast.AugAssign) else item
        if _refused(part) or (isinstance(item, ast.FunctionDef) and item is not tree):
            what = _REMEDIES.get(type(part), f"{type(part).__name__} is not part of the language of kernels")
            line = f", line {item.lineno}" if hasattr(item, "lineno") else ""
            message = f"{tree.name}{line}: {what}; {ALLOWED}"
            raise TypeError(message)


def _refused(item: ast.AST) -> bool:
    if isinstance(item, ast.Constant):
        return not isinstance(item.value, bool | int | float)
    if isinstance(item, ast.For | ast.While):
        return bool(item.orelse)
    return isinstance(item, ast.Pow | ast.MatMult) or not isinstance(item, _GRAMMAR)
