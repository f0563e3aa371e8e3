"""Nanoseconds of the device functions on one core, beside NumPy and SciPy, and the latency of kernels.

Run: python benchmarks/bench_device.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from asymptopia.theory._core.units import load_unit
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.gamma_function import gamma_p, noncentral_chi2_cdf
from asymptopia.verify.device.normal import normal, normal_pair
from asymptopia.verify.device.stream import uniform, uniform_pair
from asymptopia.verify.engine import cpu, driver
from asymptopia.verify.engine.build import Kernel, kernel_pieces
from asymptopia.verify.engine.collect import collect
from asymptopia.verify.engine.conditional import conditional_probabilities
from asymptopia.verify.engine.exact import Window, scale_array

LOOP = '@_numba.njit("void(int64,int64,int64,float64[::1],float64[::1])", error_model="numpy", cache=True)\n'
MAP = """
@_numba.njit("void(int64,float64[::1],float64[::1])", error_model="numpy", cache=True)
def _map(repeats, x, y):
    for r in range(repeats):
        for i in range(len(x)):
            y[i] = {function}(x[i])
"""
ACCUMULATE = """
@_numba.njit("void(int64,float64[::1],float64[::1],int64[::1])", error_model="numpy", cache=True)
def _accumulate(repeats, x, scales, acc):
    for r in range(repeats):
        if usable_values(x, scales, len(x), 1) < len(x):
            refuse_replicates(x, scales, acc, len(x), 1)
        accumulate_block(x, scales, acc, len(x), 0)
"""


def uniform_draw(stream, params):  # noqa: ARG001
    u, _j = uniform(stream, 0)
    return u


def uniform_pair_draw(stream, params):  # noqa: ARG001
    u, v, _j = uniform_pair(stream, 0)
    return u, v


def normal_draw(stream, params):  # noqa: ARG001
    z, _j = normal(stream, 0)
    return z


def normal_pair_draw(stream, params):  # noqa: ARG001
    a, b, _j = normal_pair(stream, 0)
    return a, b


def normal_chain(stream, params):
    total = 0.0
    j = 0
    for _i in range(int(params[0])):
        z, j = normal(stream, j)
        total += z
    return total


def binomial_draw(stream, params):
    k, _j = binomial(stream, 0, int(params[0]), params[1])
    return float(k)


def multinomial_draw(stream, params):
    left = int(params[0])
    j = 0
    square = 0.0
    for i in range(int(params[1])):
        k, j = binomial(stream, j, left, params[i + 2])
        left -= k
        square += k * k
    return square


def gamma_draw(stream, params):
    u, _j = uniform(stream, 0)
    return gamma_p(params[0], params[0] * (0.5 + u))


def noncentral_draw(stream, params):
    u, _j = uniform(stream, 0)
    return noncentral_chi2_cdf(params[0] * (0.5 + u), params[1], params[2])


LATENCY = """
import time
start = time.perf_counter()
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.normal import normal
from asymptopia.verify.engine.build import Kernel, compile_kernel
def first(stream, params):
    z, j = normal(stream, 0)
    k, j = binomial(stream, j, int(params[0]), 0.3)
    return z * k
def second(stream, params):
    k, j = binomial(stream, 0, int(params[0]), 0.3)
    z, _j = normal(stream, j)
    return z + k
compile_kernel(Kernel(first, ("x",)))
middle = time.perf_counter()
compile_kernel(Kernel(second, ("x",)))
print(middle - start, time.perf_counter() - middle)
"""


def nanoseconds(call: Callable[[], Any], values: int, repeats: int = 7) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best / values * 1e9


def per_draw(replicate: Callable[..., Any], size: int = 1, params: tuple[float, ...] = (), count: int = 4096) -> float:
    kernel = Kernel(replicate, tuple(f"s{i}" for i in range(size)))
    text = cpu.unit_text(kernel_pieces(kernel), driver.loop_source(replicate.__name__, size, LOOP))
    unit = load_unit(f"{replicate.__name__}_bench", text)
    values, numbers = np.empty(size * count), np.array(params, dtype=np.float64)
    calls = max(1, 200_000 // count)
    keys = iter(range(10**9))

    def call() -> None:
        for _ in range(calls):
            unit._loop(next(keys), 2, count, numbers, values)

    return nanoseconds(call, calls * count * size)


def per_value(function: Callable[[float], float], x: np.ndarray) -> float:
    pieces = collect([function])
    unit = load_unit(f"{function.__name__}_map", cpu.unit_text(pieces, MAP.format(function=function.__name__)))
    y = np.empty_like(x)
    return nanoseconds(lambda: unit._map(500, x, y), 500 * len(x))


def per_accumulation() -> float:
    unit = load_unit("accumulate_bench", cpu.unit_text(kernel_pieces(Kernel(uniform_draw, ("u",))), ACCUMULATE))
    x = np.random.default_rng(1).normal(size=driver.BLOCK)
    scales, acc = scale_array([Window.covering(0.0, 8.0)]), np.zeros(10, dtype=np.int64)
    return nanoseconds(lambda: unit._accumulate(2000, x, scales, acc), 2000 * len(x))


def latency() -> tuple[list[float], list[float]]:
    """Seconds until the first and for the second kernel, in a new process: empty cache, then full."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"ASYMPTOPIA_CACHE_DIR": folder}
        script = Path(folder) / "script.py"
        script.write_text(LATENCY, encoding="utf-8")
        runs = [
            subprocess.run(
                [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=True
            ).stdout
            for _ in range(2)
        ]
    cold, warm = ([float(v) for v in run.split()] for run in runs)
    return cold, warm


def peer(call: Callable[[], Any], values: int) -> float:
    return nanoseconds(call, values, 3)


def main() -> None:
    rng = np.random.default_rng(1)
    x = rng.random(512)
    n = 100_000
    p = np.full(10, 0.1)
    chain = (1000.0, 10.0, *conditional_probabilities(p))
    large = rng.random(n)
    rows: list[tuple[str, float, float]] = [
        ("uniform, one a block", per_draw(uniform_draw), peer(lambda: rng.random(n), n)),
        ("uniform, two a block", per_draw(uniform_pair_draw, 2), float("nan")),
        ("normal, inverse cdf", per_draw(normal_draw), peer(lambda: rng.standard_normal(n), n)),
        ("normal, Box-Muller", per_draw(normal_pair_draw, 2), float("nan")),
        ("normal, 20 in a row", per_draw(normal_chain, params=(20.0,)) / 20, float("nan")),
        ("log", per_value(log, x), peer(lambda: np.log(large), n)),
        ("exp", per_value(exp, x), peer(lambda: np.exp(large), n)),
        ("four powers accumulated", per_accumulation(), float("nan")),
    ]
    for size, q in ((1000.0, 0.1), (1e9, 0.3), (20.0, 0.3), (1e12, 1e-12)):
        ours = per_draw(binomial_draw, params=(size, q))
        rows.append((f"binomial({size:g}, {q:g})", ours, peer(lambda s=size, r=q: rng.binomial(int(s), r, n), n)))
    rows.append(
        (
            "multinomial(1000, K=10)",
            per_draw(multinomial_draw, params=chain),
            peer(lambda: rng.multinomial(1000, p, n), n),
        )
    )
    for a in (3.0, 100.0, 1e4):
        other = peer(lambda s=a: special.gammainc(s, s * (0.5 + large)), n)
        rows.append((f"gamma_p, a = {a:g}", per_draw(gamma_draw, params=(a,)), other))
    for lam in (2.0, 200.0, 1e4):
        ours = per_draw(noncentral_draw, params=(lam + 5, 5.0, lam))
        few = (lam + 5) * (0.5 + large[:2000])
        rows.append(
            (f"noncentral chi2, lambda = {lam:g}", ours, peer(lambda v=few, s=lam: stats.ncx2.cdf(v, 5.0, s), 2000))
        )
    print(f"{'':28}{'ns':>10}{'NumPy, SciPy':>15}")
    for name, ours, other in rows:
        print(f"{name:28}{ours:10.2f}{other:15.2f}")
    cold, warm = latency()
    print(f"seconds to the first kernel of a process: {cold[0]:.2f} with an empty cache, {warm[0]:.2f} with a full one")
    print(f"seconds for another kernel:               {cold[1]:.2f} with an empty cache, {warm[1]:.3f} with a full one")


if __name__ == "__main__":
    main()
