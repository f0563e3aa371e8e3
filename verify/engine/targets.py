"""Which targets there are here, and what a run gets that asks for one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from asymptopia.theory._core.validation import choice
from asymptopia.verify.engine import cpu, cuda
from asymptopia.verify.engine.build import TARGETS

if TYPE_CHECKING:
    from asymptopia.verify.engine.report import Report

logger = logging.getLogger(__name__)


def resolve(target: str) -> str:
    """Return the target that `target` stands for: ``"auto"`` is the device if one can be used, else the CPU.

    Raises
    ------
    ValueError
        If there is no such target.
    NoDeviceError
        If ``"cuda"`` is asked for and no device can be used.
    """
    choice("target", target, (*TARGETS, "auto"))
    if target == "cuda":
        cuda.require()
    if target != "auto":
        return target
    usable, reason = cuda.available()
    if not usable:
        logger.info("kernels run on the CPU: %s", reason)
    return "cuda" if usable else "cpu"


def threads_for(target: str, threads: int | None) -> int | None:
    """Return how many threads start kernels of a target: one for a device, which is parallel itself."""
    return 1 if target == "cuda" else threads


def status() -> dict[str, str]:
    """Return what there is to say of each target: ``"ok"``, the name of the device, or what is missing."""
    compiled = "ok" if cpu.compiler_is_on() else "interpreted: the compiler is switched off by NUMBA_DISABLE_JIT"
    return {"python": "ok", "cpu": compiled, "emulator": "ok", "cuda": cuda.available()[1]}


def differences(first: Report, second: Report) -> list[str]:
    """Return the identifiers of the entries whose totals differ between two runs of the same plan."""
    digests = {entry.id: entry.digest for entry in second.entries}
    return [entry.id for entry in first.entries if digests.get(entry.id) != entry.digest]
