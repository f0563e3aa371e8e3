"""Write a kernel and everything it uses out as source, and compile it for a target."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeAlias

from asymptopia.verify.engine import cpu, cuda, emulator
from asymptopia.verify.engine.collect import Piece, collect
from asymptopia.verify.engine.driver import FIRST_FUNCTIONS, FUNCTIONS, SCALES, driver_source
from asymptopia.verify.engine.emit import canonical, canonical_tree
from asymptopia.verify.engine.exact import MAX_COUNT
from asymptopia.verify.engine.grammar import function_tree
from asymptopia.verify.engine.grid import Grid
from asymptopia.verify.engine.interpret import interpret, self_contained
from asymptopia.verify.engine.plan import RNG_VERSION

Run: TypeAlias = Callable[[int, int, int, int, Any, Any, Any], None]

TARGETS = ("python", "cpu", "emulator", "cuda")
# names of the generated source
RESERVED = frozenset({"_replicate", "_first", "_run", "_loop", "_scratch", "_device", "_numba", "math", "struct"})


@dataclass(frozen=True)
class Kernel:
    """A replicate and the names of what it returns.

    Parameters
    ----------
    replicate : callable
        ``replicate(stream, params)``, a pure scalar function. It returns a number for one statistic and a tuple of
        numbers for several. `params` is indexed like a list; reading beyond its end is not checked on the CPU.
    statistics : tuple of str
        Names of the statistics.
    first : callable, optional
        ``first(stream, params)``, which attempts a replicate without branching on what it draws: it returns the
        statistics and, last, whether they are accepted, 1 or 0. Accepted ones are those of `replicate`, bit for bit;
        for the others `replicate` is called. A loop over it vectorises: worth it where most are accepted.
    """

    replicate: Callable[..., Any]
    statistics: tuple[str, ...]
    first: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        names = self.statistics
        if type(names) is not tuple or not names:
            message = f"statistics is a tuple of at least one name, not {names!r}"
            raise TypeError(message)
        if len(set(names)) < len(names):
            message = f"statistics has a name twice: {names}"
            raise ValueError(message)


def unit_source(kernel: Kernel, target: str) -> str:
    """Return the source of `kernel` for a target: device functions, replicate and driver.

    Notes
    -----
    For ``"python"`` it is self-contained. For ``"cpu"`` it imports the device functions from the unit that all
    kernels share; the name of that unit holds the hash of its text, so the kernel's text still fixes every digit.

    Raises
    ------
    TypeError
        If the kernel uses what a kernel cannot have. The message names the function, the global and what is allowed.
    """
    _check_target(target)
    pieces = kernel_pieces(kernel)
    if target == "cpu":
        return cpu.unit_text(pieces, _driver(kernel, cpu.RUN))
    if target == "emulator":
        return emulator.unit_source(kernel)
    if target == "cuda":
        return cuda.unit_source(kernel)
    return self_contained(pieces, _driver(kernel))


def kernel_hash(kernel: Kernel) -> str:
    """Return the sha256 of everything that can change a digit of the kernel, in hexadecimal.

    Notes
    -----
    Made of syntax trees, so that comments, docstrings, annotations and the Python version leave it as it is. The
    primitives are not part of it: each is one exactly defined instruction on every target.
    """
    lines = [f"rng: {RNG_VERSION}", *(canonical(piece) for piece in kernel_pieces(kernel))]
    lines.append(canonical_tree(ast.parse(_driver(kernel))))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def compile_kernel(kernel: Kernel, target: str = "cpu", grid: Grid | None = None) -> Run:
    """Return ``run(k0, k1, rep0, count, params, scales, acc)``, which adds replicates to the accumulators.

    Parameters
    ----------
    kernel : Kernel
        What to compile.
    target : {"cpu", "python", "emulator", "cuda"}
        Machine code, which releases the interpreter lock and needs an int64 array `acc`; or plain Python, where a
        division by zero raises and integers do not overflow; or the text for a graphics processor, in plain Python or
        on a CUDA device.
    grid : Grid, optional
        Shape of a launch, for the last two.

    Notes
    -----
    Replicates rep0 .. rep0 + count - 1 run with the key (k0, k1). With S statistics, ``acc[8 s + 2 (k - 1)]`` and the
    entry after it receive the two limbs of the sum of ``(x_s - pivot_s)**k`` for k = 1..4, ``acc[8 S]`` the number of
    replicates with a non-finite statistic and ``acc[8 S + 1]`` those with ``|x_s - pivot_s| > bound_s``; both kinds
    add nothing else. ``scales`` holds for each statistic pivot, bound, and (up1, down1, up2) for each power.
    """
    _check_target(target)
    size = len(kernel.statistics)
    # what is no function has no name; the source is refused with the reason
    name = getattr(kernel.replicate, "__name__", "")
    if target == "cuda":
        compiled = cuda.compile_grid(kernel, grid)
    elif target == "emulator":
        compiled = emulator.compile_grid(kernel, grid or emulator.DEFAULT)
    elif target == "cpu" and cpu.compiler_is_on():
        compiled = cpu.compile_text(name, unit_source(kernel, "cpu"))
    else:
        compiled = interpret(name, unit_source(kernel, "python"))["_run"]

    def run(k0: int, k1: int, rep0: int, count: int, params: Any, scales: Any, acc: Any) -> None:
        if not 1 <= count <= MAX_COUNT:
            message = f"count is 1 .. 2**20 replicates a call, not {count}"
            raise ValueError(message)
        if rep0 < 0 or rep0 + count > 2**63:
            message = f"replicates are numbered 0 .. 2**63 - 1, not {rep0} .. {rep0 + count - 1}"
            raise ValueError(message)
        if len(scales) != SCALES * size or len(acc) != 8 * size + 2:
            needs = f"{size} statistics need {SCALES * size} scales and {8 * size + 2} accumulators"
            message = f"{needs}, not {len(scales)} and {len(acc)}"
            raise ValueError(message)
        compiled(k0, k1, rep0, count, params, scales, acc)

    return run


def kernel_pieces(kernel: Kernel) -> tuple[Piece, ...]:
    """Return the functions and numbers of `kernel` and of the driver, in an order that defines before use."""
    roots = [kernel.replicate] if kernel.first is None else [*FIRST_FUNCTIONS, kernel.replicate, kernel.first]
    pieces = collect([*FUNCTIONS, *roots])
    for piece in pieces:
        if piece.name in RESERVED:
            message = f"{piece.module}: the name {piece.name!r} is taken by the generated source; rename it"
            raise TypeError(message)
    _check_shape(kernel.replicate, kernel.statistics)
    if kernel.first is not None:
        _check_shape(kernel.first, (*kernel.statistics, "accepted"))
    return pieces


def _driver(kernel: Kernel, decorator: str = "") -> str:
    attempt = "" if kernel.first is None else kernel.first.__name__
    return driver_source(kernel.replicate.__name__, len(kernel.statistics), decorator, attempt)


def _check_target(target: str) -> None:
    if target not in TARGETS:
        message = f"target is {target!r}; expected one of {', '.join(map(repr, TARGETS))}"
        raise ValueError(message)


def _check_shape(function: Callable[..., Any], names: tuple[str, ...]) -> None:
    assert isinstance(function, FunctionType)
    tree = function_tree(function)
    if len(tree.args.args) != 2:
        message = f"{tree.name}: a replicate has the two arguments stream and params"
        raise TypeError(message)
    expected = len(names)
    for item in ast.walk(tree):
        if isinstance(item, ast.Return):
            many = isinstance(item.value, ast.Tuple)
            size = len(item.value.elts) if isinstance(item.value, ast.Tuple) else int(item.value is not None)
            if size == 0 or (many and (size != expected or size == 1)):
                message = f"{tree.name}, line {item.lineno}: returns {size} values for {names}"
                raise TypeError(message)
