import os
import platform
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.gamma_function import noncentral_chi2_cdf
from asymptopia.verify.device.normal import normal, normal_pair
from asymptopia.verify.engine import cpu
from asymptopia.verify.engine.build import Kernel, compile_kernel

X86 = platform.machine().lower() in {"x86_64", "amd64"}


def several(stream, params):
    z, j = normal(stream, 0)
    a, b, j = normal_pair(stream, j)
    k, j = binomial(stream, j, 1000, 0.2)
    return exp(z) + log(1.0 + a * a) * b, k / 100.0, noncentral_chi2_cdf(a * a + 3.0, 2.0, b * b)


def scalar(stream, params):
    k, _j = binomial(stream, 0, 1000, 0.2)
    return float(k)


def both_kinds(stream, params):
    if params[0] > 0.0:
        return 1.0, 2.0
    return several(stream, params)


def scales(size, exponent=8):
    found = []
    for _ in range(size):
        found += [0.5, 2.0**exponent]
        for power in range(1, 5):
            head = power * exponent - 11
            found += [2.0 ** (20 - head), 2.0 ** (head - 20), 2.0 ** (62 - head)]
    return np.array(found)


KERNEL = Kernel(several, ("x", "y", "z"))


def digest():
    acc = np.zeros(26, dtype=np.int64)
    compile_kernel(KERNEL)(5, 6, 0, 3000, [], scales(3), acc)
    return acc.tolist()


def wide_registers():
    from numba.core.codegen import get_host_cpu_features

    features = get_host_cpu_features() if not os.environ.get("NUMBA_CPU_NAME") else ""
    return "+avx2" in str(features)


@pytest.mark.skipif(not X86, reason="counts the names of x86 registers")
def test_fill_loops_use_vector_instructions():
    if not wide_registers():
        pytest.skip("this processor has no 256-bit integer instructions")
    for replicate in (cpu.uniform_replicate, cpu.normal_replicate):
        counts = cpu.vectorised(Kernel(replicate, ("x",)))
        assert counts["zmm"] + counts["ymm"] > 50
        assert counts["zmm"] + counts["ymm"] > counts["xmm"]
    assert set(cpu.fill_vectorisation().values()) <= {"512 bit", "256 bit"}
    assert set(cpu.fill_vectorisation()) == {"uniform", "normal"}


@pytest.mark.skipif(not X86, reason="counts the names of x86 registers")
def test_rejection_loop_is_scalar():
    """The count can tell the difference: a sampler with a rejection loop has no wide registers."""
    counts = cpu.vectorised(Kernel(scalar, ("x",)))
    assert counts["zmm"] + counts["ymm"] == 0
    assert counts["xmm"] > 50


def test_threads_share_a_kernel_and_release_the_lock():
    """Two threads give one thread's integers, and while a kernel runs Python goes on."""
    run = compile_kernel(KERNEL)
    count = 1 << 14

    def part(first):
        acc = np.zeros(26, dtype=np.int64)
        run(5, 6, first, count, [], scales(3), acc)
        return acc

    firsts = [i * count for i in range(8)]
    with ThreadPoolExecutor(2) as pool:
        threaded = sum(pool.map(part, firsts))
    assert threaded.tolist() == sum(map(part, firsts)).tolist()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(part, 0)
        ticks = 0
        start = time.perf_counter()
        while not future.done():
            ticks += 1
        seconds = time.perf_counter() - start
    # with the lock held, this thread would have waited for the whole call between two ticks
    assert ticks > 100 or seconds < 0.002


def test_compiling_in_two_threads():
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(compile_kernel, [Kernel(scalar, ("x",))] * 4))
    found = []
    for run in runs:
        acc = np.zeros(10, dtype=np.int64)
        run(1, 2, 0, 100, [], scales(1), acc)
        found.append(acc.tolist())
    assert found[0][0] != 0
    assert all(item == found[0] for item in found)


@pytest.mark.skipif(not X86, reason="names of x86 processors")
@pytest.mark.parametrize("name", ["generic", "haswell"])
def test_same_integers_on_another_instruction_set(name):
    code = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ""}
    if name == "haswell" and not wide_registers():
        pytest.skip("this processor has no AVX2")
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert [int(v) for v in re.findall(r"-?\d+", result.stdout)] == digest()


def test_numba_errors_name_the_kernel():
    with pytest.raises(TypeError, match=r"both_kinds: numba cannot compile this kernel; does every path"):
        compile_kernel(Kernel(both_kinds, ("a", "b")))


def test_wrong_accumulator_is_an_error():
    with pytest.raises(TypeError):
        compile_kernel(KERNEL)(5, 6, 0, 10, [], scales(3), np.zeros(26))


def test_options_of_the_generated_source():
    source = cpu.RUN
    assert "nogil=True" in source
    assert 'error_model="numpy"' in source
    assert "void(int64,int64,int64,int64,float64[::1],float64[::1],int64[::1])" in source
    names = {function.__name__ for function in cpu.device_functions()}
    assert set(cpu.OUT_OF_LINE) <= names
