"""Exact conversion between the fields of a result and plain JSON data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from asymptopia.theory._core.lazy import resolve
from asymptopia.theory._core.status import Status

_TAGS = {"$float", "$complex", "$array", "$status", "$tuple", "$named", "$result"}


def encode(value: Any) -> Any:
    """Return `value` as data that strict JSON can hold.

    Floats keep every bit (JSON numbers are written with 17 digits); those that JSON lacks, arrays, tuples,
    statuses and nested results become one-key objects.

    Raises
    ------
    TypeError
        If the value is of a type that a result may not hold.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, complex):
        return {"$complex": [encode(value.real), encode(value.imag)]}
    if isinstance(value, np.ndarray):
        body = [encode(item) for item in value.ravel().tolist()]
        return {"$array": {"dtype": value.dtype.str, "shape": list(value.shape), "data": body}}
    if isinstance(value, Status):
        return {"$status": [f"{type(value).__module__}:{type(value).__qualname__}", value.name]}
    if isinstance(value, tuple):
        items = [encode(item) for item in value]
        if hasattr(value, "_fields"):
            return {"$named": [f"{type(value).__module__}:{type(value).__qualname__}", items]}
        return {"$tuple": items}
    if isinstance(value, Mapping) and not _TAGS & value.keys() and all(isinstance(key, str) for key in value):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
        return encode(value.item())
    if hasattr(type(value), "from_dict"):
        return {"$result": value.to_dict()}
    message = f"a result cannot hold {type(value).__name__}"
    raise TypeError(message)


def decode(data: Any) -> Any:
    """Return the value that `encode` wrote."""
    if not isinstance(data, Mapping):
        return data
    if len(data) == 1:
        ((tag, body),) = data.items()
        if tag == "$float":
            return float(body)
        if tag == "$complex":
            return complex(*(decode(item) for item in body))
        if tag == "$tuple":
            return tuple(decode(item) for item in body)
        if tag == "$array":
            flat = np.array([decode(item) for item in body["data"]], dtype=np.dtype(body["dtype"]))
            found = flat.reshape(body["shape"])
            found.setflags(write=False)
            return found
        if tag == "$result":
            return _own(body["type"], "from_dict").from_dict(body)
        if tag == "$status":
            return _own(body[0], "__members__")[body[1]]
        if tag == "$named":
            return _own(body[0], "_fields")(*(decode(item) for item in body[1]))
    return {key: decode(item) for key, item in data.items()}


def _own(name: str, mark: str) -> Any:
    """Return the class of asymptopia that `name` names; data must not reach functions or what a module imports."""
    found = resolve(name) if name.startswith("asymptopia.") else None
    if not (isinstance(found, type) and found.__module__.startswith("asymptopia.") and hasattr(found, mark)):
        message = f"data names the type {name!r}, which is not one of asymptopia"
        raise ValueError(message)
    return found
