"""The operations that each target substitutes by an instruction: bit patterns of doubles and the square root."""

from __future__ import annotations

import math
import struct


def float_bits(x: float) -> int:
    """Return the bit pattern of `x` as a signed 64-bit integer."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits


def bits_float(i: int) -> float:
    """Return the double whose bit pattern is the signed 64-bit integer `i`."""
    value: float = struct.unpack("<d", struct.pack("<q", i))[0]
    return value


def sqrt(x: float) -> float:
    """Return the square root of `x`, correctly rounded, and nan for x < 0."""
    return math.sqrt(x) if x >= 0.0 else math.nan
