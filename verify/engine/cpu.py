"""The CPU target: compile units with numba, and look at the machine code.

The device functions are compiled in a unit of their own, which all kernels share: most of the time that numba takes
goes into its own analysis of the source, and so it is spent once instead of once a kernel.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from asymptopia.theory._core.units import load_unit
from asymptopia.verify import device
from asymptopia.verify.device import primitives
from asymptopia.verify.device.normal import normal
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine import driver
from asymptopia.verify.engine.collect import Piece, collect, same_piece
from asymptopia.verify.engine.emit import emit

if TYPE_CHECKING:
    from asymptopia.verify.engine.build import Kernel


# Rarely called and large: inlined, they slow down the loop around them (binomial draws 65 ns instead of 36).
OUT_OF_LINE = ("binomial_log_mass", "gamma_p", "noncentral_chi2_cdf", "refuse_replicates")

_PREAMBLE = f"""OUT_OF_LINE = {OUT_OF_LINE}

import numba as _numba
import numpy as _numpy
from llvmlite import ir as _ir
from numba.core import types as _types
from numba.extending import intrinsic as _intrinsic


@_intrinsic
def float_bits(typingctx, x):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], _ir.IntType(64))
    return _types.int64(_types.float64), codegen


@_intrinsic
def bits_float(typingctx, i):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], _ir.DoubleType())
    return _types.float64(_types.int64), codegen


@_intrinsic
def sqrt(typingctx, x):
    def codegen(context, builder, signature, args):
        function = builder.module.declare_intrinsic("llvm.sqrt", [_ir.DoubleType()])
        return builder.call(function, args)
    return _types.float64(_types.float64), codegen


def _device(function):
    options = dict(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, cache=True)
    return _numba.njit(forceinline=function.__name__ not in OUT_OF_LINE, **options)(function)


@_device
def _scratch(n):
    return _numpy.empty(n)
"""
# no cache: a function that came out of it has no assembly
_LOOP = (
    '@_numba.njit("void(int64,int64,int64,float64[::1],float64[::1])", error_model="numpy", no_cpython_wrapper=True)\n'
)
RUN = (
    '@_numba.njit("void(int64,int64,int64,int64,float64[::1],float64[::1],int64[::1])", nogil=True, '
    'error_model="numpy", no_cfunc_wrapper=True, cache=True)\n'
)


def compiler_is_on() -> bool:
    """Return whether numba compiles: not under ``NUMBA_DISABLE_JIT``."""
    import numba

    return not getattr(numba.config, "DISABLE_JIT", 0)


def compile_text(stem: str, source: str) -> Callable[..., None]:
    """Return the compiled ``_run`` of a unit, with `params` and `scales` converted to what it takes."""
    import numba
    import numpy as np

    try:
        compiled = load_unit(stem, source)._run
    except numba.core.errors.NumbaError as error:
        message = (
            f"{stem}: numba cannot compile this kernel; does every path return the same kinds of numbers?\n{error}"
        )
        raise TypeError(message) from error

    def run(k0: int, k1: int, rep0: int, count: int, params: Any, scales: Any, acc: Any) -> None:
        params = np.ascontiguousarray(params, dtype=np.float64)
        scales = np.ascontiguousarray(scales, dtype=np.float64)
        compiled(k0, k1, rep0, count, params, scales, acc)

    return run


def unit_text(pieces: Iterable[Piece], loop: str) -> str:
    """Return the source of a loop over replicates and of those pieces that the shared unit does not hold."""
    library = library_unit()
    held = {piece.name: piece for piece in library_pieces()}
    shared: list[Piece] = []
    own: list[Piece] = []
    for piece in pieces:
        # a kernel's own function may have the name of a device function
        (shared if piece.name in held and same_piece(piece, held[piece.name]) else own).append(piece)
    names = sorted({"_device", "_numba", "_scratch", *primitive_names(), *(piece.name for piece in shared)})
    return f"from {library.__name__} import {', '.join(names)}\n" + emit(own, "@_device\n") + loop


@cache
def library_unit() -> ModuleType:
    """Return the unit of all device functions; each is compiled when a kernel first needs it."""
    return load_unit("device", _PREAMBLE + emit(library_pieces(), "@_device\n"))


@cache
def library_pieces() -> tuple[Piece, ...]:
    """Return the functions and numbers of the unit that kernels share."""
    return collect(device_functions())


def device_functions() -> list[Callable[..., Any]]:
    """Return every device function and those of the driver that work on blocks."""
    names = sorted(module.name for module in pkgutil.iter_modules(device.__path__))
    modules = [importlib.import_module(f"{device.__name__}.{name}") for name in names]
    found: list[Callable[..., Any]] = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ != primitives.__name__
    ]
    return [*found, *driver.FUNCTIONS, *driver.FIRST_FUNCTIONS]


def primitive_names() -> list[str]:
    """Return the names that every target defines itself."""
    return [name for name, value in vars(primitives).items() if isinstance(value, FunctionType)]


def vectorised(kernel: Kernel) -> dict[str, int]:
    """Return how many lines of a loop over replicates name 512-, 256- and 128-bit registers, without accumulation.

    Empty where numba's compiler is switched off.
    """
    from asymptopia.verify.engine.build import kernel_pieces

    if not compiler_is_on():
        return {}
    name, size = kernel.replicate.__name__, len(kernel.statistics)
    attempt = "" if kernel.first is None else kernel.first.__name__
    loop = driver.loop_source(name, size, _LOOP, attempt)
    unit = load_unit(f"{name}_loop", unit_text(kernel_pieces(kernel), loop))
    (assembly,) = unit._loop.inspect_asm().values()
    lines = assembly.split("\n")
    return {wide: sum(f"%{wide}" in line for line in lines) for wide in ("zmm", "ymm", "xmm")}


def fill_vectorisation() -> dict[str, str]:
    """Return the widest registers that the loops over uniform and normal draws use, in bits."""
    from asymptopia.verify.engine.build import Kernel

    bits = {"zmm": "512 bit", "ymm": "256 bit"}
    found = {}
    for replicate in (uniform_replicate, normal_replicate):
        counts = vectorised(Kernel(replicate, ("value",)))
        wide = next((text for name, text in bits.items() if counts.get(name)), "none")
        found[replicate.__name__.removesuffix("_replicate")] = wide
    return found


def uniform_replicate(stream: Stream, params: list[float]) -> float:  # noqa: ARG001
    """Return one uniform."""
    u, _j = uniform(stream, 0)
    return u


def normal_replicate(stream: Stream, params: list[float]) -> float:  # noqa: ARG001
    """Return one standard normal."""
    z, _j = normal(stream, 0)
    return z
