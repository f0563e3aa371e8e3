"""Exact, order-free statistics: sums of powers as integers, moments as exact fractions.

A kernel adds each power of (x - pivot) to two 64-bit limbs of fixed point. Folding the limbs into Python integers is
associative and commutative, so totals are the same bits for any threads, chunks and order.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

POWERS = 4
HEAD_BITS = 11  # |value| < 2**(E + 11)
LIMB_BITS = 42  # the second limb counts units 2**-42 of the first
UNIT_BITS = 62  # the unit of the total is 2**(E - 62)
MAX_EXPONENT = 200
DIGITS = 67  # digits of 32 bits of a superaccumulator
SUBNORMAL = -1074  # its unit is the smallest double
MAX_COUNT = 1 << 20
"""Replicates that one kernel call may add before a limb could overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Fixed-point window of one statistic: values within ``2**exponent`` of the pivot are summed exactly."""

    pivot: float
    exponent: int

    @classmethod
    def covering(cls, pivot: float, bound: float) -> Window:
        """Return the smallest window that holds ``|x - pivot| <= bound``."""
        if not (math.isfinite(pivot) and math.isfinite(bound) and bound > 0):
            message = f"pivot is {pivot!r} and bound is {bound!r}; expected finite numbers, the bound above 0"
            raise ValueError(message)
        exponent = math.frexp(bound)[1]
        if abs(exponent) > MAX_EXPONENT:
            message = f"bound is {bound!r}; expected a number from 2**-{MAX_EXPONENT} to 2**{MAX_EXPONENT}"
            raise ValueError(message)
        return cls(pivot=float(pivot), exponent=exponent)

    def unit(self, power: int) -> int:
        """Return e such that the integer total of that power counts units of ``2**e``."""
        return power * self.exponent - HEAD_BITS - UNIT_BITS

    def scales(self) -> list[float]:
        """Return the 14 numbers that the kernel needs: pivot, bound, then (up1, down1, up2) a power."""
        found = [self.pivot, math.ldexp(1.0, self.exponent)]
        for power in range(1, POWERS + 1):
            head = power * self.exponent - HEAD_BITS
            low = UNIT_BITS - LIMB_BITS
            found += [math.ldexp(1.0, low - head), math.ldexp(1.0, head - low), math.ldexp(1.0, UNIT_BITS - head)]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbounded:
    """A statistic that is summed exactly wherever it lies, by the superaccumulator."""

    pivot: float

    def unit(self, power: int) -> int:
        """Return e such that the integer total counts units of ``2**e``, whatever the power."""
        del power
        return SUBNORMAL

    def scales(self) -> list[float]:
        """Return what the kernel needs: the pivot."""
        return [self.pivot]


def scale_array(windows: Sequence[Window | Unbounded]) -> NDArray[np.float64]:
    """Return the ``scales`` argument of a kernel."""
    return np.array([value for window in windows for value in window.scales()])


def accumulator(windows: Sequence[Window | Unbounded]) -> NDArray[np.int64]:
    """Return a zeroed ``acc`` argument of a kernel."""
    size = sum(POWERS * (2 if isinstance(window, Window) else DIGITS) for window in windows)
    return np.zeros(size + 2, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Integer totals of a set of replicates.

    Attributes
    ----------
    count : int
        Replicates run.
    nonfinite, outside : int
        Replicates left out because a statistic was not finite, or lay outside its window.
    sums : tuple of tuple of int
        For each statistic the totals of the powers 1 to 4, in units of ``2**window.unit(power)``.
    """

    count: int
    nonfinite: int
    outside: int
    sums: tuple[tuple[int, ...], ...]

    @classmethod
    def empty(cls, statistics: int) -> Totals:
        """Return the totals of no replicate."""
        return cls(count=0, nonfinite=0, outside=0, sums=((0,) * POWERS,) * statistics)

    @classmethod
    def of(cls, acc: Iterable[Any], count: int, *, wide: bool = False) -> Totals:
        """Return the totals that a kernel left in `acc` after `count` replicates, in two limbs or in `wide` digits."""
        limbs = [int(limb) for limb in acc]
        body, (nonfinite, outside) = limbs[:-2], limbs[-2:]
        if wide:
            rows67 = [body[i : i + DIGITS] for i in range(0, len(body), DIGITS)]
            joined = [sum(digit << (32 * place) for place, digit in enumerate(row)) for row in rows67]
        else:
            joined = [(head << LIMB_BITS) + tail for head, tail in zip(body[::2], body[1::2], strict=True)]
        rows = tuple(tuple(joined[i : i + POWERS]) for i in range(0, len(joined), POWERS))
        return cls(count=count, nonfinite=nonfinite, outside=outside, sums=rows)

    def __add__(self, other: Totals) -> Totals:
        """Return the totals of both sets of replicates."""
        return Totals(
            count=self.count + other.count,
            nonfinite=self.nonfinite + other.nonfinite,
            outside=self.outside + other.outside,
            sums=tuple(
                tuple(a + b for a, b in zip(x, y, strict=True)) for x, y in zip(self.sums, other.sums, strict=True)
            ),
        )

    @property
    def used(self) -> int:
        """Replicates in the sums."""
        return self.count - self.nonfinite - self.outside

    def digest(self) -> str:
        """Return 16 hexadecimal digits that two runs share only if every total agrees."""
        text = json.dumps([self.count, self.nonfinite, self.outside, [list(map(str, row)) for row in self.sums]])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def moments(self, statistic: int, window: Window | Unbounded) -> Moments:
        """Return the moments of one statistic, from the exact sums."""
        n = self.used
        if n == 0:
            nan = math.nan
            return Moments(n=0, mean=nan, variance=nan, skewness=nan, kurtosis=nan)
        raw = [
            Fraction(total) * Fraction(2) ** window.unit(power + 1) / n
            for power, total in enumerate(self.sums[statistic])
        ]
        m1 = raw[0]
        m2 = raw[1] - m1**2
        m3 = raw[2] - 3 * m1 * raw[1] + 2 * m1**3
        m4 = raw[3] - 4 * m1 * raw[2] + 6 * m1**2 * raw[1] - 3 * m1**4
        spread = float(m2)
        # rounding to the fixed point can leave a spread below its own unit: such a statistic is constant
        flat = spread <= math.ldexp(1.0, window.unit(2) + 2)
        return Moments(
            n=n,
            mean=float(Fraction(window.pivot) + m1),
            variance=0.0 if flat else float(m2 * n / (n - 1)) if n > 1 else math.nan,
            skewness=0.0 if flat else float(m3) / spread**1.5,
            kurtosis=0.0 if flat else float(m4 / m2**2) - 3.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sample moments: mean, unbiased variance, skewness and excess kurtosis."""

    n: int
    mean: float
    variance: float
    skewness: float
    kurtosis: float

    @property
    def sd(self) -> float:
        """Standard deviation of one replicate."""
        return math.sqrt(self.variance)
