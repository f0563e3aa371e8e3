"""Argument checks whose errors name the argument, the value and the allowed range."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

EXACT_INTEGERS = 2**53
"""Counts up to here are exact in float64."""


def fail(name: str, value: object, expected: str) -> ValueError:
    """Return the ValueError that says what `name` was and what was expected."""
    return ValueError(f"{name} is {value!r}; expected {expected}")


def real(name: str, value: Any, low: float = -math.inf, high: float = math.inf, *, closed: str = "both") -> float:
    """Return `value` as a float within the interval from `low` to `high`.

    Parameters
    ----------
    closed : {"both", "left", "right", "neither"}
        Which ends belong to the interval.

    Raises
    ------
    TypeError
        If the value is no real number.
    ValueError
        If it is NaN or outside.
    """
    if isinstance(value, bool | np.bool_ | str | bytes) or (not np.isscalar(value) and np.ndim(value) != 0):
        message = f"{name} is of type {type(value).__name__}; expected a real number"
        raise TypeError(message)
    try:
        number = float(value)
    except OverflowError:
        message = f"{name} is an integer beyond float64, whose largest number is 1.8e308"
        raise ValueError(message) from None
    except (TypeError, ValueError):
        message = f"{name} is of type {type(value).__name__}; expected a real number"
        raise TypeError(message) from None
    above = number >= low if closed in {"both", "left"} else number > low
    below = number <= high if closed in {"both", "right"} else number < high
    if not (above and below):
        left = "[" if closed in {"both", "left"} else "("
        right = "]" if closed in {"both", "right"} else ")"
        raise fail(name, number, f"a number in {left}{low:g}, {high:g}{right}")
    return number


def probability(name: str, value: Any) -> float:
    """Return `value` as a float strictly between 0 and 1, such as a level."""
    return real(name, value, 0.0, 1.0, closed="neither")


def integer(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return `value` as an int in [low, high]; a float is refused, an integer of numpy is not.

    Raises
    ------
    TypeError
        If the value is not an integer.
    ValueError
        If it is outside.
    """
    try:
        number = operator.index(value)
    except TypeError:
        message = f"{name} is {value!r} of type {type(value).__name__}; expected an integer"
        raise TypeError(message) from None
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        span = f"at least {low}" if high is None else f"from {low} to {high}"
        raise fail(name, value, f"an integer, {span}")
    return number


def choice(name: str, value: object, allowed: Collection[str]) -> str:
    """Return `value` if it is one of `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        raise fail(name, value, f"one of {', '.join(map(repr, allowed))}")
    return value


def numeric(name: str, value: ArrayLike, *, min_ndim: int = 0) -> Array:
    """Return `value` as a finite float64 array.

    Raises
    ------
    TypeError
        If it is not real and numeric (objects, strings, complex numbers).
    ValueError
        If an entry is NaN or infinite, or there are too few axes.
    """
    if np.ma.isMaskedArray(value):
        message = f"{name} is a masked array; fill or drop its masked entries first"
        raise TypeError(message)
    try:
        array = np.asarray(value)
    except ValueError:
        message = f"{name} is ragged: its rows differ in length; expected an array of numbers"
        raise TypeError(message) from None
    if array.dtype.kind not in "biuf":
        message = f"{name} has dtype {array.dtype}; expected real numbers"
        raise TypeError(message)
    if array.ndim < min_ndim:
        raise fail(f"{name}.ndim", array.ndim, f"at least {min_ndim}")
    if array.dtype.kind in "iu" and array.size and _magnitude(array) > EXACT_INTEGERS:
        raise fail(
            name, _magnitude(array), f"integers of at most 2**53 = {EXACT_INTEGERS}, which float64 holds exactly"
        )
    result: Array = array.astype(np.float64)
    bad = ~np.isfinite(result)
    if bad.any():
        raise fail(_at(name, bad), float(result[bad].flat[0]), "finite numbers")
    return result


def counts(name: str, value: ArrayLike, *, min_bins: int = 1) -> Array:
    """Return `value` as a float64 array of counts: finite, >= 0, <= 2**53, at least `min_bins` along the last axis.

    Raises
    ------
    TypeError, ValueError
        As `numeric`; ValueError also for a negative entry, too large an entry, too few bins or an empty sample.
    """
    array = numeric(name, value, min_ndim=1)
    if array.shape[-1] < min_bins:
        raise fail(f"{name}.shape[-1]", array.shape[-1], f"at least {min_bins} bins")
    if (array < 0).any():
        raise fail(_at(name, array < 0), float(array[array < 0].flat[0]), "counts >= 0")
    if (array > EXACT_INTEGERS).any():
        raise fail(_at(name, array > EXACT_INTEGERS), float(array.max()), "counts of at most 2**53")
    if (array.sum(axis=-1) == 0).any():
        raise fail(f"{name}.sum()", 0, "a sample with at least one observation")
    return array


def same_shape(first: str, a: NDArray[Any], second: str, b: NDArray[Any]) -> None:
    """Raise ValueError unless both arrays have the same shape."""
    if a.shape != b.shape:
        message = f"{first} has shape {a.shape} and {second} has shape {b.shape}; expected the same bins in both"
        raise ValueError(message)


def _magnitude(array: NDArray[Any]) -> int:
    return max(abs(int(array.max())), abs(int(array.min())))


def _at(name: str, mask: NDArray[np.bool_]) -> str:
    """Return ``name[i, j]`` of the first True of `mask`, or `name` for a scalar."""
    if mask.ndim == 0:
        return name
    return f"{name}[{', '.join(str(int(i)) for i in np.argwhere(mask)[0])}]"
