"""First attempts: a kernel with one gives the integers of the same kernel without."""

import ast
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from asymptopia.verify.device.gamma import gamma, gamma_attempt, log_gamma_attempt, log_gamma_variate
from asymptopia.verify.device.poisson import poisson, poisson_attempt
from asymptopia.verify.device.stream import uniform
from asymptopia.verify.engine import cpu
from asymptopia.verify.engine.build import Kernel, compile_kernel, kernel_hash, unit_source

KEY = (0x12345678, 0x9ABCDEF0)


def one_gamma(stream, params):
    x, _j = gamma(stream, 0, params[0])
    return x


def first_gamma(stream, params):
    x, accepted = gamma_attempt(stream, 0, params[0])
    return x, accepted


def several(stream, params):
    k, j = poisson(stream, 0, params[1])
    x, j = gamma(stream, j, params[0])
    y, j = log_gamma_variate(stream, j, 0.4)
    return x, k, y


def first(stream, params):
    """Attempt all three, with the name that suggests itself."""
    k, known = poisson_attempt(stream, 0, params[1])
    x, hit = gamma_attempt(stream, 1, params[0])
    y, log_hit = log_gamma_attempt(stream, 2, 0.4)
    return x, k, y, known * hit * log_hit


def pair(stream, params):
    x, j = gamma(stream, 0, params[0])
    y, j = gamma(stream, j, params[1])
    return x, y


def first_pair(stream, params):
    x, accepted = gamma_attempt(stream, 0, params[0])
    y, hit = gamma_attempt(stream, 1, params[1])
    return x, y, accepted * hit


def single(stream, params):
    u, _j = uniform(stream, 0)
    return u


def judged(stream, params):
    """Return a value that is wrong wherever the flag is not one."""
    u, _j = uniform(stream, 0)
    r = stream[2] % 5
    if r == 0:
        return u, 1.0
    if r == 1:
        return -1.0, 0.0
    if r == 2:
        return -2.0, 2.0
    if r == 3:
        return -3.0, params[0] - params[0]
    return -4.0, -1.0


def never(stream, params):
    return -1.0, False


def always(stream, params):
    u, _j = uniform(stream, 0)
    return u, True


def wrong(stream, params):
    u, _j = uniform(stream, 0)
    return 1.0 - u, True


def exponential(stream, params):
    """A kernel's own function, with the name of a device function."""
    u, _j = uniform(stream, 0)
    return u * params[0]


def scales(size, exponent=12):
    found = []
    for _ in range(size):
        found += [0.5, 2.0**exponent]
        for power in range(1, 5):
            head = power * exponent - 11
            found += [2.0 ** (20 - head), 2.0 ** (head - 20), 2.0 ** (62 - head)]
    return np.array(found)


def totals(kernel, target, rep0, count, params):
    size = len(kernel.statistics)
    acc = np.zeros(8 * size + 2, dtype=np.int64)
    compile_kernel(kernel, target)(*KEY, rep0, count, params, scales(size), acc)
    return acc.tolist()


THREE = ("x", "k", "y")


@pytest.mark.parametrize("count", [1, 255, 256, 257, 20_000])
@pytest.mark.parametrize("shape", [1.0, 2.5, 0.5])
def test_same_integers_as_without(count, shape):
    """Below shape 1 no attempt is accepted, and every replicate is drawn in full."""
    with_first = totals(Kernel(one_gamma, ("x",), first_gamma), "cpu", 5, count, [shape])
    assert with_first == totals(Kernel(one_gamma, ("x",)), "cpu", 5, count, [shape])
    assert with_first[0] != 0


@pytest.mark.parametrize("params", [[2.5, 40.0], [1.0, 10.0], [1e6, 3.0]])
def test_several_statistics(params):
    kernel = Kernel(several, THREE, first)
    expected = totals(Kernel(several, THREE), "cpu", 2**40, 3000, params)
    assert totals(kernel, "cpu", 2**40, 3000, params) == expected
    short = totals(Kernel(several, THREE), "cpu", 2**40, 300, params)
    assert totals(kernel, "python", 2**40, 300, params) == short
    assert totals(Kernel(several, THREE), "python", 2**40, 300, params) == short


@pytest.mark.parametrize("target", ["cpu", "python"])
@pytest.mark.parametrize("attempt", [judged, never, always])
def test_only_one_accepts(target, attempt):
    """0, 2, -1 and nan do not; a truth value is 0 or 1."""
    expected = totals(Kernel(single, ("u",)), target, 0, 600, [np.inf])
    # in plain Python inf - inf is nan, too
    assert totals(Kernel(single, ("u",), attempt), target, 0, 600, [np.inf]) == expected


def test_attempts_are_used():
    expected = totals(Kernel(single, ("u",)), "cpu", 0, 600, [])
    assert totals(Kernel(single, ("u",), wrong), "cpu", 0, 600, []) != expected


def test_hash_and_source():
    plain, attempted = Kernel(one_gamma, ("x",)), Kernel(one_gamma, ("x",), first_gamma)
    hashes = {kernel_hash(Kernel(single, ("u",), attempt)) for attempt in (None, never, always, wrong)}
    assert len(hashes) == 4
    assert kernel_hash(plain) != kernel_hash(attempted)
    assert "refused_attempts" not in unit_source(plain, "python")
    assert "_first = first_gamma" in unit_source(attempted, "python")
    assert "refused_attempts" in unit_source(attempted, "python")


def test_wrong_attempts():
    with pytest.raises(TypeError, match=r"first_gamma.*returns 2 values for \('a', 'b', 'accepted'\)"):
        compile_kernel(Kernel(pair, ("a", "b"), first_gamma))
    with pytest.raises(TypeError, match="plain Python functions"):
        kernel_hash(Kernel(single, ("u",), max))


@pytest.mark.skipif(platform.machine().lower() not in {"x86_64", "amd64"}, reason="counts the names of x86 registers")
def test_attempts_use_vector_instructions():
    from numba.core.codegen import get_host_cpu_features

    if os.environ.get("NUMBA_CPU_NAME") or "+avx2" not in str(get_host_cpu_features()):
        pytest.skip("this processor has no 256-bit integer instructions")
    counts = cpu.vectorised(Kernel(one_gamma, ("x",), first_gamma))
    assert counts["zmm"] + counts["ymm"] > 200
    counts = cpu.vectorised(Kernel(several, THREE, first))
    assert counts["zmm"] + counts["ymm"] > 200


@pytest.mark.parametrize("target", ["cpu", "python"])
def test_own_function_with_the_name_of_a_device_function(target):
    """The kernel's own is run, as its replicate and when it is called."""
    expected = totals(Kernel(single, ("u",)), "python", 0, 300, [])
    assert totals(Kernel(exponential, ("x",)), target, 0, 300, [1.0]) == expected
    assert totals(Kernel(calls_own, ("x",)), target, 0, 300, [1.0]) == expected


def calls_own(stream, params):
    return exponential(stream, params)


def digest():
    return totals(Kernel(several, THREE, first), "cpu", 0, 2000, [1.5, 12.0])


@pytest.mark.skipif(platform.machine().lower() not in {"x86_64", "amd64"}, reason="names of x86 processors")
def test_same_integers_on_another_instruction_set():
    """Without wide registers, fused operations or rounding instructions."""
    code = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ast.literal_eval(result.stdout) == digest()
