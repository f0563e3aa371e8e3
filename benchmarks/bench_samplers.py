"""Nanoseconds a draw of the samplers on one core, with and without a first attempt, beside NumPy.

Run: python benchmarks/bench_samplers.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from asymptopia.theory._core.units import load_unit
from asymptopia.verify.device.exponential import exponential, exponential_pair
from asymptopia.verify.device.gamma import gamma, gamma_attempt, log_gamma_attempt, log_gamma_variate
from asymptopia.verify.device.normal import normal_pair
from asymptopia.verify.device.orderstat import uniform_maximum
from asymptopia.verify.device.poisson import poisson, poisson_attempt, table_draw, table_pair
from asymptopia.verify.device.stream import uniform_pair
from asymptopia.verify.engine import cpu, driver
from asymptopia.verify.engine.build import Kernel, kernel_pieces
from asymptopia.verify.engine.tables import guide_table

LOOP = '@_numba.njit("void(int64,int64,int64,float64[::1],float64[::1])", error_model="numpy", cache=True)\n'
COUNT = 4096


def uniforms(stream, params):  # noqa: ARG001
    u, v, _j = uniform_pair(stream, 0)
    return u, v


def normals(stream, params):  # noqa: ARG001
    a, b, _j = normal_pair(stream, 0)
    return a, b


def exponentials(stream, params):  # noqa: ARG001
    a, b, _j = exponential_pair(stream, 0)
    return a, b


def one_exponential(stream, params):  # noqa: ARG001
    e, _j = exponential(stream, 0)
    return e


def one_gamma(stream, params):
    x, _j = gamma(stream, 0, params[0])
    return x


def first_gamma(stream, params):
    x, accepted = gamma_attempt(stream, 0, params[0])
    return x, accepted


def one_log_gamma(stream, params):
    x, _j = log_gamma_variate(stream, 0, params[0])
    return x


def first_log_gamma(stream, params):
    x, accepted = log_gamma_attempt(stream, 0, params[0])
    return x, accepted


def one_poisson(stream, params):
    k, _j = poisson(stream, 0, params[0])
    return float(k)


def first_poisson(stream, params):
    k, accepted = poisson_attempt(stream, 0, params[0])
    return float(k), accepted


def one_of_a_table(stream, params):
    k, _j = table_draw(stream, 0, params, 0)
    return float(k)


def two_of_a_table(stream, params):
    a, b, _j = table_pair(stream, 0, params, 0)
    return float(a), float(b)


def maximum(stream, params):
    log_u, gap, _j = uniform_maximum(stream, 0, params[0])
    return log_u + gap


def nanoseconds(call: Callable[[], Any], values: int, repeats: int = 9) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best / values * 1e9


def per_draw(
    replicate: Callable[..., Any],
    params: tuple[float, ...] = (),
    size: int = 1,
    first: Callable[..., Any] | None = None,
) -> float:
    kernel = Kernel(replicate, tuple(f"s{i}" for i in range(size)), first)
    loop = driver.loop_source(replicate.__name__, size, LOOP, first.__name__ if first else "")
    unit = load_unit(f"{replicate.__name__}_bench", cpu.unit_text(kernel_pieces(kernel), loop))
    values, numbers = np.empty(size * COUNT), np.array(params, dtype=np.float64)
    keys = iter(range(10**9))

    def call() -> None:
        for _ in range(50):
            unit._loop(next(keys), 2, COUNT, numbers, values)

    call()
    return nanoseconds(call, 50 * COUNT * size)


def main() -> None:
    rng = np.random.default_rng(1)
    n = 100_000
    none = float("nan")
    rows: list[tuple[str, float, float, Callable[[], Any] | None]] = [
        ("uniform, two a block", per_draw(uniforms, size=2), none, lambda: rng.random(n)),
        ("normal, two a block", per_draw(normals, size=2), none, lambda: rng.standard_normal(n)),
        ("exponential, two a block", per_draw(exponentials, size=2), none, lambda: rng.standard_exponential(n)),
        ("exponential, one a block", per_draw(one_exponential), none, None),
        ("maximum of e^1000 uniforms", per_draw(maximum, (1000.0,)), none, None),
    ]
    for shape in (1.0, 2.5, 1e6):
        ours = [per_draw(one_gamma, (shape,), 1, first) for first in (None, first_gamma)]
        rows.append((f"gamma({shape:g})", *ours, lambda a=shape: rng.standard_gamma(a, n)))
    ours = [per_draw(one_log_gamma, (0.1,), 1, first) for first in (None, first_log_gamma)]
    rows.append(("log of gamma(0.1)", *ours, lambda: np.log(rng.standard_gamma(0.1, n))))
    for mu in (3.0, 10.0, 40.0, 1e6, 1e12):
        ours = [per_draw(one_poisson, (mu,), 1, first) for first in (None, first_poisson)]
        rows.append((f"Poisson({mu:g})", *ours, lambda m=mu: rng.poisson(m, n)))
    table = guide_table(stats.poisson(40).pmf(np.arange(150)))
    rows += [
        ("Poisson(40), table", per_draw(one_of_a_table, table), none, None),
        ("Poisson(40), table, in pairs", per_draw(two_of_a_table, table, 2), none, None),
    ]
    print(f"{'':32}{'ns':>10}{'with first':>12}{'NumPy':>10}")
    for name, plain, attempted, peer in rows:
        other = none if peer is None else nanoseconds(peer, n, 3)
        print(f"{name:32}{plain:10.2f}{attempted:12.2f}{other:10.2f}")


if __name__ == "__main__":
    main()
