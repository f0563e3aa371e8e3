"""A relative error that is defined for every pair of floats, and the reader of the oracle tables."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import mpmath as mp

ORACLES = Path(__file__).parent / "oracles"
SMALLEST = 5e-324
BEYOND = mp.mpf(2) ** 1024
"""Where float64 would continue above its largest number."""


def relative_error(actual: Any, desired: Any) -> float:
    """Return ``|actual - desired| / |desired|``, extended to nan, infinities and zero; never nan.

    Equal values and two nan give 0, exactly one nan gives inf. A desired 0 is normalised by the smallest subnormal.
    Infinities count as 2**1024, the number after the largest. Desired values may be decimal strings or mpmath numbers,
    which are not rounded first; below the normal range the float64 nearest to them counts.
    """
    actual = float(actual)
    with mp.workdps(60):
        wanted = mp.mpf(desired)
        if mp.isnan(wanted) or math.isnan(actual):
            return 0.0 if mp.isnan(wanted) and math.isnan(actual) else math.inf
        if abs(wanted) < sys.float_info.min and actual == float(wanted):
            return 0.0
        reached, goal = (mp.sign(value) * BEYOND if mp.isinf(value) else value for value in (mp.mpf(actual), wanted))
        return float(abs(reached - goal) / max(abs(goal), mp.mpf(SMALLEST)))


def table(name: str) -> list[dict[str, Any]]:
    """Return the rows of an oracle table, each a dictionary by column."""
    content = json.loads((ORACLES / name).read_text(encoding="utf-8"))
    return [dict(zip(content["columns"], row, strict=True)) for row in content["rows"]]
