"""The emulator target: the text that a graphics processor runs, in plain Python, thread after thread.

Its integers behave like those of the processor, 64 bits and signed, and it raises where a kernel leaves them.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, MutableSequence
from typing import TYPE_CHECKING, Any

from asymptopia.verify.device import primitives
from asymptopia.verify.engine.emit import emit
from asymptopia.verify.engine.grid import COPIES, LIMB, Grid, grid_pieces, grid_source
from asymptopia.verify.engine.interpret import interpret

if TYPE_CHECKING:
    from asymptopia.verify.engine.build import Kernel

DEFAULT = Grid(4, 32)
LIMIT = 2**63


def compile_grid(kernel: Kernel, grid: Grid = DEFAULT) -> Callable[..., None]:
    """Return ``run(k0, k1, rep0, count, params, scales, acc)`` of one launch in a grid of this shape.

    Raises
    ------
    OverflowError
        When run: if an integer of the kernel needs more than 64 bits, or a sum more than 63 and a sign.
    """
    launch = interpret(f"{kernel.replicate.__name__} emulated", unit_source(kernel), CHECKS)["_grid"]
    size = 8 * len(kernel.statistics) + 2

    def run(k0: int, k1: int, rep0: int, count: int, params: Any, scales: Any, acc: Any) -> None:
        numbers = [[float(value) for value in values] for values in (params, scales)]
        memory = [0] * (COPIES * size)
        threads = grid.blocks * grid.threads
        for block in range(grid.blocks):
            for thread in range(grid.threads):
                launch(k0, k1, rep0, count, *numbers, memory, block * grid.threads + thread, threads)
        for place, value in enumerate(memory):
            atomic_add(acc, place % size, value)

    return run


def unit_source(kernel: Kernel) -> str:
    """Return the text of the grid with its checks: what is executed."""
    loop = grid_source(
        kernel,
        decorator="",
        arguments=", _thread, _threads",
        thread="_thread",
        stride="_threads",
        atomic="_atomic_add(acc, {place}, {value})",
    )
    tree = _Checks().visit(ast.parse(emit(grid_pieces(kernel)) + loop))
    return inspect.getsource(primitives) + "\n\n" + ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def int64(value: Any) -> Any:
    """Return `value` with integers reduced to signed 64 bits, as two's complement does.

    Raises
    ------
    OverflowError
        If an integer has more than 64 bits. One of 64 bits is no error: a product of two 32-bit words is one.
    """
    if type(value) is not int or -LIMIT <= value < LIMIT:
        return value
    if not -LIMIT <= value < 2 * LIMIT:
        message = f"an integer of the kernel needs more than 64 bits: {value}"
        raise OverflowError(message)
    return value - 2 * LIMIT


def exact(value: int) -> int:
    """Return a sum that must be exact.

    Raises
    ------
    OverflowError
        If it does not fit in a signed 64-bit integer.
    """
    if not -LIMIT <= value < LIMIT:
        message = f"a sum of limbs leaves the signed 64-bit integers: {value}"
        raise OverflowError(message)
    return value


def quotient(a: float, b: float) -> float:
    """Return ``a / b``, by IEEE rules where b is 0."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def whole(value: float) -> int:
    """Return ``int(value)``.

    Raises
    ------
    OverflowError
        If it is not finite or does not fit: what the processor makes of it then is undefined.
    """
    return exact(int(value)) if math.isfinite(value) else exact(LIMIT)


def atomic_add(memory: MutableSequence[int], place: int, value: int) -> None:
    """Add an integer to a place in memory."""
    memory[place] = exact(int(memory[place]) + value)


CHECKS: dict[str, Callable[..., Any]] = {
    f"_{function.__name__}": function for function in (int64, exact, quotient, whole, atomic_add)
}


class _Checks(ast.NodeTransformer):
    """Pass the result of whatever can leave the integers through its check."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return _call("_quotient", node.left, node.right)
        growing = isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.LShift)
        return _call("_int64", node) if growing and not (_is_float(node.left) or _is_float(node.right)) else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        negated = isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant)
        return _call("_int64", node) if negated else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return _call("_whole", *node.args) if isinstance(node.func, ast.Name) and node.func.id == "int" else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        is_limb = isinstance(node.target, ast.Name) and node.target.id.startswith(LIMB)
        # the target once more, as what is read
        old = ast.parse(ast.unparse(node.target), mode="eval").body
        total = ast.BinOp(old, node.op, node.value)
        value = _call("_exact", total) if is_limb else self.visit(total)
        return ast.Assign([node.target], value, lineno=node.lineno)


def _is_float(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
