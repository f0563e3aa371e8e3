"""``asymptopia warmup``: compile every kernel that ships, so that the first run does not wait."""

from __future__ import annotations

import argparse
import time

from asymptopia._cli.console import console
from asymptopia.verify.checks import checks
from asymptopia.verify.engine.ahead import Ahead
from asymptopia.verify.engine.build import compile_kernel
from asymptopia.verify.engine.pool import resolve_threads


def configure(parser: argparse.ArgumentParser) -> None:
    """Add no options."""


def run(options: argparse.Namespace) -> int:
    """Compile the kernels of all checks."""
    del options
    started = time.perf_counter()
    kernels = {check.kernel: check.id for check in checks()}
    with Ahead(kernels, resolve_threads(None)) as ahead:
        for kernel in kernels:
            ahead.wait(kernel)
            compile_kernel(kernel)
    console().print(f"{len(kernels)} kernels ready after {time.perf_counter() - started:.1f} s", markup=False)
    return 0
