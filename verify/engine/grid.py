"""The loop around a replicate in the form of a grid: each thread keeps integers of its own and adds them at the end.

The emulator and the CUDA target run this text. It gives the integers of `asymptopia.verify.engine.driver`: the limbs
of a value are the same, and sums of integers do not depend on who adds them when. No sum can overflow: a launch has at
most 2**20 replicates, of each of which the first limb is at most 2**31 and the second 2**41, so that the sum over any
set of replicates is at most 2**61.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asymptopia.verify.device.primitives import float_bits
from asymptopia.verify.engine.collect import Piece, collect
from asymptopia.verify.engine.driver import ROUNDING, ROUNDING_BITS, SCALES

if TYPE_CHECKING:
    from asymptopia.verify.engine.build import Kernel

POWERS = 4
COPIES = 64
"""Accumulators of a launch, between which the threads take turns: fewer of their additions meet at one address."""
# names of the generated source, besides those of the driver
RESERVED = frozenset({"_grid", "_cuda", "_int64", "_exact", "_quotient", "_whole", "_atomic_add"})
LIMB = "_limb"


@dataclass(frozen=True, slots=True)
class Grid:
    """Shape of a launch; no integer depends on it.

    Parameters
    ----------
    blocks, threads : int
        Blocks, and threads in each.
    """

    blocks: int
    threads: int

    def __post_init__(self) -> None:
        for name in ("blocks", "threads"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                message = f"{name} is {value!r}; expected an integer of at least 1"
                raise ValueError(message)


_TEMPLATE = """
_replicate = {replicate}

{decorator}def _grid(k0, k1, rep0, count, params, scales, acc{arguments}):
    {zeros} = 0
    thread = {thread}
    stride = {stride}
    i = thread
    while i < count:
        r = rep0 + i
        {targets} = _replicate((k0 & {mask}, k1 & {mask}, r & {mask}, (r >> 32) & {mask}, 0), params)
{values}
        if {inside}:
{adds}
        elif {finite}:
            {outside} += 1
        else:
            {nonfinite} += 1
        i += stride
    base = {size} * (thread % {copies})
{atomics}
"""
_POWERS = """
            y1 = x{s} - scales[{at}]
            y2 = y1 * y1
            y3 = y2 * y1
            y4 = y2 * y2"""
_LIMBS = """
            h, l = limbs_of(y{power}, scales[{up}], scales[{down}], scales[{fine}])
            {first} += h
            {second} += l"""


def grid_source(kernel: Kernel, *, decorator: str, thread: str, stride: str, atomic: str, arguments: str = "") -> str:
    """Return the text of ``_grid(k0, k1, rep0, count, params, scales, acc)`` around the replicate of `kernel`.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    decorator : str
        What the text of the function follows.
    thread, stride : str
        Expressions: number of this thread in the grid, and how many there are.
    atomic : str
        A call that adds; ``{place}`` and ``{value}`` are filled in.
    arguments : str
        Further arguments of ``_grid``.
    """
    count = len(kernel.statistics)
    size = 2 * POWERS * count + 2
    limbs = [f"{LIMB}{n}" for n in range(size)]
    adds = []
    for s in range(count):
        adds.append(_POWERS.format(s=s, at=SCALES * s))
        for power in range(1, POWERS + 1):
            up = SCALES * s + 2 + 3 * (power - 1)
            first = 2 * POWERS * s + 2 * (power - 1)
            places = {"up": up, "down": up + 1, "fine": up + 2, "first": limbs[first], "second": limbs[first + 1]}
            adds.append(_LIMBS.format(power=power, **places))
    return _TEMPLATE.format(
        replicate=kernel.replicate.__name__,
        decorator=decorator,
        arguments=arguments,
        zeros=" = ".join(limbs),
        thread=thread,
        stride=stride,
        targets=", ".join(f"v{s}" for s in range(count)),
        mask="0xFFFFFFFF",
        values="\n".join(f"        x{s} = v{s} * 1.0" for s in range(count)),
        inside=" and ".join(f"abs(x{s} - scales[{SCALES * s}]) <= scales[{SCALES * s + 1}]" for s in range(count)),
        adds="".join(adds).lstrip("\n"),
        # inf - inf and nan - nan are nan
        finite=" and ".join(f"x{s} - x{s} == 0.0" for s in range(count)),
        nonfinite=limbs[-2],
        outside=limbs[-1],
        size=size,
        copies=COPIES,
        atomics="\n".join("    " + atomic.format(place=f"base + {n}", value=name) for n, name in enumerate(limbs)),
    )


def grid_pieces(kernel: Kernel) -> tuple[Piece, ...]:
    """Return the functions and numbers of ``_grid`` and the replicate, with functions of their own for min and max.

    Raises
    ------
    TypeError
        If the kernel uses what a kernel cannot have.
    """
    from asymptopia.verify.engine.build import kernel_pieces

    for piece in kernel_pieces(kernel):
        if piece.name in RESERVED:
            message = f"{piece.module}: the name {piece.name!r} is taken by the generated source; rename it"
            raise TypeError(message)
    roots: list[Callable[..., Any]] = [limbs_of, least_of_two, greatest_of_two, kernel.replicate]
    return tuple(_ordered(piece) for piece in collect(roots))


def limbs_of(y: float, up: float, down: float, fine: float) -> tuple[int, int]:
    """Return the integers ``q1 = rint(y up)`` and ``q2 = rint((y - q1 down) fine)``."""
    t = y * up + ROUNDING
    # exact: what is left of y below the last bit of the first limb
    rest = (y - (t - ROUNDING) * down) * fine + ROUNDING
    return float_bits(t) - ROUNDING_BITS, float_bits(rest) - ROUNDING_BITS


def least_of_two(a: float, b: float) -> float:
    """Return ``min(a, b)`` as Python defines it; CUDA's own drops a nan and orders zeros by their sign."""
    return b if b < a else a  # noqa: FURB136


def greatest_of_two(a: float, b: float) -> float:
    """Return ``max(a, b)`` as Python defines it."""
    return b if b > a else a  # noqa: FURB136


class _Order(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        names = {"min": "least_of_two", "max": "greatest_of_two"}
        if not isinstance(node.func, ast.Name) or node.func.id not in names or len(node.args) < 2:
            return node
        result, *others = node.args
        for other in others:
            function = ast.Name(names[node.func.id], ast.Load())
            result = ast.Call(function, [result, other], [])
        return ast.copy_location(result, node)


def _ordered(piece: Piece) -> Piece:
    if piece.tree is None:
        return piece
    # a copy: the collected trees are shared
    tree = _Order().visit(ast.parse(ast.unparse(piece.tree)).body[0])
    assert isinstance(tree, ast.FunctionDef)
    return Piece(piece.name, piece.module, tree=ast.fix_missing_locations(tree))
