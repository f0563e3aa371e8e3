"""Draws of a compiled kernel, one row a replicate."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asymptopia.theory._core.units import load_unit
from asymptopia.verify.engine import cpu, driver
from asymptopia.verify.engine.build import Kernel, kernel_pieces

LOOP = '@_numba.njit("void(int64,int64,int64,float64[::1],float64[::1])", error_model="numpy", cache=True)\n'
Draw = Callable[..., NDArray[np.float64]]


def draw_replicates(
    replicate: Callable[..., Any], count: int, params: Any = (), size: int = 1, key: tuple[int, int] = (2024, 7)
) -> NDArray[np.float64]:
    kernel = Kernel(replicate, tuple(f"s{i}" for i in range(size)))
    loop = driver.loop_source(replicate.__name__, size, LOOP)
    unit = load_unit(f"{replicate.__name__}_draws", cpu.unit_text(kernel_pieces(kernel), loop))
    values = np.empty(count * size)
    unit._loop(*key, count, np.array(params, dtype=np.float64), values)
    return values.reshape(count, size)


@pytest.fixture(scope="session")
def draw() -> Draw:
    return draw_replicates
