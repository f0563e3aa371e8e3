"""The CPU target: what a unit needs around it to become machine code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asymptopia.theory._core.units import load_unit

if TYPE_CHECKING:
    from asymptopia.verify.engine.build import Kernel

PREAMBLE = """import numba as _numba
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


_device = _numba.njit(forceinline=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_device
def _scratch(n):
    return _numpy.empty(n)
"""
DEVICE = "\n@_device\n"
RUN = (
    '@_numba.njit("void(int64,int64,int64,int64,float64[::1],float64[::1],int64[::1])", nogil=True, '
    'error_model="numpy", no_cfunc_wrapper=True, cache=True)\n'
)


def compile_unit(stem: str, source: str) -> Callable[..., None] | None:
    """Return the compiled ``_run`` of a unit, or None where numba's compiler is switched off."""
    import numba
    import numpy as np

    if numba.config.DISABLE_JIT:
        return None
    compiled = load_unit(stem, source)._run

    def run(k0: int, k1: int, rep0: int, count: int, params: Any, scales: Any, acc: Any) -> None:
        params = np.ascontiguousarray(params, dtype=np.float64)
        scales = np.ascontiguousarray(scales, dtype=np.float64)
        compiled(k0, k1, rep0, count, params, scales, acc)

    return run
