"""The CUDA target. No other module imports a CUDA package.

Two packages serve: numba-cuda, and its successor numba-cuda-mlir. Both read the text that the emulator runs; this
module names for each of them what it is imported as, how a function is compiled for the device, and where its
compiler takes options.
"""

from __future__ import annotations

import importlib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from asymptopia.theory._core.units import load_unit
from asymptopia.verify.device import primitives
from asymptopia.verify.engine.emit import emit
from asymptopia.verify.engine.grid import COPIES, Grid, grid_pieces, grid_source

if TYPE_CHECKING:
    from types import ModuleType

    from asymptopia.verify.engine.build import Kernel

THREADS = 256
BLOCKS_PER_PROCESSOR = 4
SIMULATED = Grid(2, 8)
"""Shape in the simulator, where each thread is a thread of the operating system."""
SIGNATURE = "void(int64,int64,int64,int64,float64[::1],float64[::1],int64[::1])"


class NoDeviceError(RuntimeError):
    """No CUDA device can be used, or none as deterministically as asked for; the message names the missing piece."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that compiles Python for CUDA.

    Attributes
    ----------
    name, root : str
        Its distribution, and what it is imported as.
    parent, drivers : str
        The modules that hold ``cuda`` and its own driver layer.
    lowest : tuple of int
        Compute capability from which on its compiler can be told not to contract.
    """

    name: str
    root: str
    parent: str
    drivers: str
    lowest: tuple[int, int] = (0, 0)

    @property
    def module(self) -> ModuleType:
        """The module of kernels: ``cuda``."""
        return importlib.import_module(f"{self.parent}.cuda")

    def driver(self, name: str) -> ModuleType:
        """Return the module `name` of the package's own driver layer."""
        return importlib.import_module(f"{self.drivers}.{name}")


PACKAGES = (
    Package("numba-cuda", "numba_cuda", "numba", "numba.cuda.cudadrv"),
    Package("numba-cuda-mlir", "numba_cuda_mlir", "numba_cuda_mlir", "numba_cuda_mlir.numba_cuda.cudadrv", (10, 0)),
)


@dataclass(frozen=True, slots=True)
class Device:
    """The device in use."""

    name: str
    capability: str
    driver: str
    processors: int
    package: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.name}, compute capability {self.capability}, driver for CUDA {self.driver}, {self.package}"


@cache
def installed() -> Package | None:
    """Return the package to use, None if there is none."""
    return next((package for package in PACKAGES if find_spec(package.root)), None)


def simulated() -> bool:
    """Return whether numba-cuda simulates a device in Python: under ``NUMBA_ENABLE_CUDASIM=1``."""
    package = installed()
    return package is not None and "simulator" in package.module.jit.__module__


@cache
def available() -> tuple[bool, str]:
    """Return whether kernels can run on a CUDA device, and its name or the piece that is missing."""
    package = installed()
    if package is None:
        return False, "no CUDA package is installed: pip install 'asymptopia[gpu]'"
    try:
        if simulated():
            return True, str(device())
        cuda = package.module
        if not cuda.is_available():
            error = cuda.cuda_error()
            if error is None:
                return False, f"{package.name} finds no compiler (libNVVM): pip install 'asymptopia[gpu]'"
            missing = "no CUDA device" if "NO_DEVICE" in error else "no usable NVIDIA driver"
            return False, f"{missing}: {_line(error)}"
        if len(cuda.gpus) == 0:
            return False, "no CUDA device: the driver lists none"
        if tuple(cuda.get_current_device().compute_capability) < package.lowest:
            return False, f"{package.name} cannot round as the CPU does on this device: pip install 'asymptopia[gpu]'"
        return True, str(device())
    # what a broken installation raises is not known beforehand, and none of it may stop a run on the CPU
    except Exception as error:  # noqa: BLE001
        return False, f"{package.name} cannot be used: {_line(str(error))}"


def require() -> None:
    """Raise NoDeviceError if no device can be used."""
    usable, reason = available()
    if not usable:
        raise NoDeviceError(reason)


def device() -> Device:
    """Return the device in use.

    Raises
    ------
    NoDeviceError
        If no package is installed. What the package raises where there is no device is passed on.
    """
    package = _package()
    text = f"{package.name} {version(package.name)}"
    if simulated():
        return Device("simulated device", "none", "none", 1, text)
    found = package.module.get_current_device()
    capability, driver = (
        ".".join(map(str, pair)) for pair in (found.compute_capability, package.driver("driver").driver.get_version())
    )
    return Device(str(found.name), capability, driver, int(found.MULTIPROCESSOR_COUNT), text)


def compile_grid(kernel: Kernel, grid: Grid | None = None, *, deterministic: bool = True) -> Callable[..., None]:
    """Return ``run(k0, k1, rep0, count, params, scales, acc)`` of one launch on the device.

    Parameters
    ----------
    kernel : Kernel
        What to compile.
    grid : Grid, optional
        Shape of a launch; by default 256 threads in up to four blocks for each multiprocessor.
    deterministic : bool
        Whether multiplications and additions are rounded one by one, as on the CPU, so that the integers are the CPU's.
        Otherwise the compiler may contract them, and statistics differ from the CPU's in their last digits.

    Raises
    ------
    NoDeviceError
        If no device can be used, or its compiler contracts although told not to.
    """
    require()
    cuda = _package().module
    launch = load_unit(f"{kernel.replicate.__name__}_cuda", unit_source(kernel, deterministic=deterministic))._grid
    if not simulated():
        with compiler(), contraction(allowed=not deterministic):
            launch.compile(SIGNATURE)
        if deterministic:
            check_contraction("".join(launch.inspect_asm().values()))
    size = 8 * len(kernel.statistics) + 2
    most = BLOCKS_PER_PROCESSOR * device().processors

    def run(k0: int, k1: int, rep0: int, count: int, params: Any, scales: Any, acc: Any) -> None:
        import numpy as np

        shape = grid or (SIMULATED if simulated() else Grid(min(most, -(-count // THREADS)), THREADS))
        numbers = [cuda.to_device(np.ascontiguousarray(values, dtype=np.float64)) for values in (params, scales)]
        memory = cuda.to_device(np.zeros(COPIES * size, dtype=np.int64))
        with warnings.catch_warnings():
            # a small grid is meant to be small
            warnings.simplefilter("ignore")
            configured = launch[shape.blocks, shape.threads]
        configured(int(k0), int(k1), int(rep0), int(count), *numbers, memory)
        totals = memory.copy_to_host().reshape(COPIES, size).sum(axis=0)
        for place, value in enumerate(totals.tolist()):
            acc[place] += value

    return run


def unit_source(kernel: Kernel, *, deterministic: bool = True) -> str:
    """Return the source of the kernel for the package in use, which its first line names."""
    package = _package()
    head = f"# {package.name} {version(package.name)}, contraction {'off' if deterministic else 'on'}\n"
    use = f"\nfrom {package.parent} import cuda as _cuda\n"
    if simulated():
        head += inspect.getsource(primitives) + use + "_device = _cuda.jit(device=True)\n_kernel = _cuda.jit\n"
    else:
        head += use + _PREAMBLE
    loop = grid_source(
        kernel,
        decorator="@_kernel\n",
        thread="_cuda.grid(1)",
        stride="_cuda.gridsize(1)",
        atomic="_cuda.atomic.add(acc, {place}, {value})",
    )
    return head + emit(grid_pieces(kernel), "@_device\n") + loop


# code is not optimised once more when it is linked: the linker would contract by rules of its own
_PREAMBLE = """
_device = _cuda.jit(device=True, lto=False)
_kernel = _cuda.jit(lto=False)

@_device
def float_bits(x):
    return _cuda.libdevice.double_as_longlong(x)

@_device
def bits_float(i):
    return _cuda.libdevice.longlong_as_double(i)

@_device
def sqrt(x):
    return _cuda.libdevice.dsqrt_rn(x)
"""


def ptx(kernel: Kernel, capability: tuple[int, int], *, deterministic: bool = True) -> str:
    """Return the assembly of a kernel for a compute capability; what is looked at where there is no device."""
    cuda = _package().module
    unit = load_unit(f"{kernel.replicate.__name__}_cuda", unit_source(kernel, deterministic=deterministic))
    with compiler(), contraction(allowed=not deterministic):
        text, _ = cuda.compile_ptx(unit._grid.py_func, SIGNATURE, cc=capability)
    return str(text)


_lock = threading.Lock()


@contextmanager
def compiler() -> Iterator[None]:
    """Raise NoDeviceError where a library of the compiler turns out to be missing inside a with statement.

    The packages look for NVRTC only when they need it, after they have called themselves usable.
    """
    try:
        yield
    except Exception as error:
        if type(error).__name__ != "DynamicLibNotFoundError":
            raise
        found = _line(str(error).partition("\n")[0])
        message = f"{_package().name} finds no compiler: {found}: pip install 'asymptopia[gpu]'"
        raise NoDeviceError(message) from error


@contextmanager
def contraction(*, allowed: bool) -> Iterator[None]:
    """Let the compiler contract ``a * b + c`` into one rounding, or not, inside a with statement.

    Notes
    -----
    Neither package has a public switch. Both hand their options to libNVVM through a class ``CompilationUnit``, where
    ``-fma=0`` is added here. `check_contraction` then looks at what came out.

    Raises
    ------
    NoDeviceError
        If this version of the package has no such class.
    """
    if allowed:
        yield
        return
    package = _package()
    unit = getattr(package.driver("nvvm"), "CompilationUnit", None)
    if unit is None or list(inspect.signature(unit).parameters) != ["options"]:
        message = f"{package.name} {version(package.name)} takes its compiler options elsewhere: contraction stays on"
        raise NoDeviceError(message)
    with _lock:
        original = unit.__init__

        def plain(self: Any, options: dict[str, Any]) -> None:
            original(self, {**options, "fma": False})

        unit.__init__ = plain
        try:
            yield
        finally:
            unit.__init__ = original


def check_contraction(assembly: str) -> None:
    """Raise NoDeviceError if PTX assembly contracts, or lets its assembler do so.

    Notes
    -----
    PTX forbids to contract an addition or a multiplication with an explicit rounding, and allows it without one.
    """
    bad = [name for name in ("fma.rn.f64", "mul.f64", "add.f64", "sub.f64") if name in assembly]
    if bad:
        message = f"the CUDA compiler contracts operations although told not to: its assembly has {', '.join(bad)}"
        raise NoDeviceError(message)


def _package() -> Package:
    package = installed()
    if package is None:
        raise NoDeviceError(available()[1])
    return package


def _line(text: str) -> str:
    return " ".join(text.split()).rstrip(".:")
