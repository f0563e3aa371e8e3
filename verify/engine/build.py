"""Write a kernel and everything it uses out as one source, and compile it for a target."""

from __future__ import annotations

import ast
import hashlib
import linecache
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Literal, TypeAlias

from asymptopia.verify.device import primitives
from asymptopia.verify.engine.collect import Number, Piece, collect, function_tree
from asymptopia.verify.engine.driver import RESERVED, driver_source

Target = Literal["python", "cpu"]
Run: TypeAlias = Callable[[int, int, int, int, Sequence[float], Sequence[float], MutableSequence[int]], None]

RNG_VERSION = "rng: 1"
MAX_COUNT = 2**20
_TARGETS = ("python", "cpu")


@dataclass(frozen=True)
class Kernel:
    """A replicate and the names of what it returns.

    Parameters
    ----------
    replicate : callable
        ``replicate(stream, params)``, a pure scalar function; it returns a float for one statistic and a tuple of
        that length for several.
    statistics : tuple of str
        Names of the statistics.
    """

    replicate: Callable[..., Any]
    statistics: tuple[str, ...]

    def __post_init__(self) -> None:
        names = self.statistics
        if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
            message = f"statistics is a tuple of at least one name, not {names!r}"
            raise TypeError(message)
        if len(set(names)) < len(names):
            message = f"statistics are named twice: {names}"
            raise ValueError(message)


def unit_source(kernel: Kernel, target: Target) -> str:
    """Return the self-contained source of `kernel`: primitives, device functions, replicate and driver.

    Raises
    ------
    TypeError
        If the kernel uses what a kernel cannot have. The message names the function, the global and what is allowed.
    """
    _check_target(target)
    pieces = _pieces(kernel)
    if target == "cpu":
        from asymptopia.verify.engine import cpu

        head, decorate_device, decorate_run = cpu.PREAMBLE, cpu.DEVICE, cpu.RUN
    else:
        head, decorate_device, decorate_run = _python_preamble(), "", ""
    parts = [head]
    module = ""
    for piece in pieces:
        if piece.module != module:
            module = piece.module
            parts.append(f"\n# from {module}")
        if piece.node is None:
            parts.append(f"{piece.name} = {_literal(piece.value)}")
        else:
            parts.append(f"{decorate_device}{ast.unparse(piece.node)}")
    driver = driver_source(kernel.replicate.__name__, len(kernel.statistics))
    parts.append(driver.replace("def _run(", f"{decorate_run}def _run("))
    return "\n".join(parts)


def kernel_hash(kernel: Kernel) -> str:
    """Return the sha256 of everything that can change a digit of the kernel, in hexadecimal.

    Notes
    -----
    Made of syntax trees, so that comments, docstrings, annotations and the Python version leave it as it is. The
    primitives are not part of it: each is one exactly defined instruction on every target.
    """
    lines = [RNG_VERSION]
    for piece in _pieces(kernel):
        lines.append(f"{piece.name} {_literal(piece.value) if piece.node is None else _canonical(piece.node)}")
    lines.append(_canonical(ast.parse(driver_source(kernel.replicate.__name__, len(kernel.statistics)))))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def compile_kernel(kernel: Kernel, target: Target = "cpu") -> Run:
    """Return ``run(k0, k1, rep0, count, params, scales, acc)``, which adds replicates to the accumulators.

    Parameters
    ----------
    kernel : Kernel
        What to compile.
    target : {"cpu", "python"}
        Machine code, which releases the interpreter lock and takes float64 and int64 arrays, or plain Python.

    Notes
    -----
    Replicates rep0 .. rep0 + count - 1 run with the key (k0, k1). With S statistics, ``acc[8 s + 2 (k - 1)]`` and the
    entry after it receive the two limbs of the sum of ``(x_s - pivot_s)**k`` for k = 1..4, ``acc[8 S]`` the number of
    replicates with a non-finite statistic and ``acc[8 S + 1]`` those with ``|x_s - pivot_s| > bound_s``; both kinds
    add nothing else. ``scales`` holds for each statistic pivot, bound, and (up, down, fine) for each power.
    """
    _check_target(target)
    size = len(kernel.statistics)
    if target == "cpu":
        from asymptopia.verify.engine import cpu

        compiled = cpu.compile_unit(kernel.replicate.__name__, unit_source(kernel, "cpu"))
    else:
        compiled = None
    if compiled is None:
        compiled = _python_unit(kernel)

    def run(
        k0: int,
        k1: int,
        rep0: int,
        count: int,
        params: Sequence[float],
        scales: Sequence[float],
        acc: MutableSequence[int],
    ) -> None:
        if not 1 <= count <= MAX_COUNT:
            message = f"count is 1 .. 2**20 replicates a call, not {count}"
            raise ValueError(message)
        if rep0 < 0 or rep0 + count > 2**63:
            message = f"replicates are numbered 0 .. 2**63 - 1; got {rep0} .. {rep0 + count - 1}"
            raise ValueError(message)
        if len(scales) != 14 * size or len(acc) != 8 * size + 2:
            message = (
                f"{size} statistics need {14 * size} scales and {8 * size + 2} accumulators, "
                f"not {len(scales)} and {len(acc)}"
            )
            raise ValueError(message)
        compiled(k0, k1, rep0, count, params, scales, acc)

    return run


def _check_target(target: str) -> None:
    if target not in _TARGETS:
        message = f"target is one of {', '.join(_TARGETS)}, not {target!r}"
        raise ValueError(message)


def _pieces(kernel: Kernel) -> tuple[Piece, ...]:
    pieces = collect([kernel.replicate, primitives.float_bits])
    for piece in pieces:
        if piece.name in RESERVED:
            message = f"{piece.module}: the name {piece.name!r} is taken by the generated source; rename it"
            raise TypeError(message)
    _check_returns(kernel)
    return pieces


def _check_returns(kernel: Kernel) -> None:
    assert isinstance(kernel.replicate, FunctionType)
    node = function_tree(kernel.replicate)
    names = kernel.statistics
    if len(node.args.args) != 2:
        message = f"{node.name}: a replicate has the two arguments stream and params"
        raise TypeError(message)
    for item in ast.walk(node):
        if isinstance(item, ast.Return):
            size = len(item.value.elts) if isinstance(item.value, ast.Tuple) else None
            if item.value is None or (size is not None and size != len(names)) or (size is not None and size == 1):
                message = f"{node.name}: returns {size or 0} values in one place, for the statistics {names}"
                raise TypeError(message)


def _literal(value: Number | None) -> str:
    if isinstance(value, tuple):
        return "(" + "".join(f"{_literal(item)}, " for item in value) + ")"
    text = repr(value)
    return f'float("{text}")' if text in {"inf", "-inf", "nan"} else text


def _canonical(node: object) -> str:
    """Return a text of a syntax tree that is the same for every Python version.

    ``ast.dump`` and ``ast.unparse`` are not: they gained fields and lost brackets over the years.
    """
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields if name not in {"ctx", "kind"})
        inner = " ".join(f"{name}={_canonical(value)}" for name, value in fields if value not in (None, []))
        return f"({type(node).__name__} {inner})"
    if isinstance(node, list):
        return "[" + " ".join(_canonical(item) for item in node) + "]"
    return repr(node)


def _python_preamble() -> str:
    import inspect

    return inspect.getsource(primitives) + "\n\ndef _scratch(n):\n    return [0.0] * n\n"


def _python_unit(kernel: Kernel) -> Callable[..., None]:
    source = unit_source(kernel, "python")
    filename = f"<asymptopia unit {kernel.replicate.__name__} {kernel_hash(kernel)[:16]}>"
    # tracebacks and debuggers find the lines there
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": filename}
    exec(compile(source, filename, "exec"), namespace)
    run: Callable[..., None] = namespace["_run"]
    return run
