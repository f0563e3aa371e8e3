"""The error of arguments that a family does not take: it names those that it does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def named_parameters(method: Callable[P, R]) -> Callable[P, R]:
    """Return a method of a family that names its parameters where the arguments do not fit them.

    Examples
    --------
    >>> from asymptopia.theory.projection.families import Normal
    >>> Normal().natural(mean=0.0, sigma2=1.0)
    Traceback (most recent call last):
    TypeError: natural of Normal takes (mu, sigma2): got 'mean'
    """

    @wraps(method)
    def natural(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except TypeError:
            problem = _misfit(method, args, kwargs)
            if problem is None:
                raise
            names = ", ".join([*inspect.signature(method).parameters][1:])
            message = f"natural of {getattr(args[0], 'name', 'the family')} takes ({names}): {problem}"
        raise TypeError(message)

    return natural


def _misfit(method: Callable[..., Any], args: Any, kwargs: Any) -> str | None:
    """Return what is wrong with the arguments; None if they fit."""
    signature = inspect.signature(method)
    # a word that is not known says more than the parameter that is then missing
    unknown = [repr(name) for name in kwargs if name not in signature.parameters]
    if unknown:
        return f"got {', '.join(unknown)}"
    try:
        signature.bind(*args, **kwargs)
    except TypeError as problem:
        return str(problem)
    return None
