"""What a run must state so that another machine can repeat it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import asymptopia
from asymptopia.verify.engine import cuda
from asymptopia.verify.engine.plan import BLOCK, LOOK_RATIO, RNG_VERSION

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "sympy", "mpmath")


def versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str | None]:
    """Return the installed version of each distribution, None where it is missing."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def cpu_name() -> str:
    """Return the name by which numba compiles for this processor."""
    import llvmlite.binding as llvm

    return str(llvm.get_host_cpu_name())


def manifest(*, device: str, threads: int, kernels: Mapping[str, str]) -> dict[str, Any]:
    """Return versions, machine, kernel hashes and engine constants."""
    # under the name of a field that may differ between two runs of the same seed
    used = {"device": str(cuda.device())} if device == "cuda" else {}
    return {
        "asymptopia": asymptopia.__version__,
        "python": sys.version.split()[0],
        "packages": versions(),
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cpu": cpu_name(), **used},
        "device": device,
        "threads": threads,
        "engine": {"rng": RNG_VERSION, "block": BLOCK, "look_ratio": LOOK_RATIO},
        "kernels": dict(kernels),
    }
