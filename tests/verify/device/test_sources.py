"""The device modules as sources: what they import, how they are named, and that compiled code gives the same bits."""

import ast
import importlib
import pkgutil
from collections import Counter
from pathlib import Path
from types import FunctionType

import numpy as np

from asymptopia.verify import device
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, expm1, log, log1p, sincos2pi
from asymptopia.verify.device.gamma_function import gamma_p, log_factorial, log_gamma, noncentral_chi2_cdf
from asymptopia.verify.device.normal import normal, normal_pair
from asymptopia.verify.device.quantile import normal_quantile
from asymptopia.verify.device.stream import uniform, uniform_pair
from asymptopia.verify.engine.collect import collect
from asymptopia.verify.engine.cpu import device_functions

MODULES = [importlib.import_module(f"{device.__name__}.{m.name}") for m in pkgutil.iter_modules(device.__path__)]
ROWS = 100


def samplers(stream, params):
    u, j = uniform(stream, 0)
    a, b, j = uniform_pair(stream, j)
    z, j = normal(stream, j)
    x, y, j = normal_pair(stream, j)
    k, j = binomial(stream, j, 1000, u)
    m, j = binomial(stream, j, 1000000000, 1e-8 * (1.0 + a))
    return u, a, b, z, x, y, float(k), float(m), float(j)


def elementary(stream, params):
    u, v, _j = uniform_pair(stream, 0)
    wide = exp(1400.0 * (u - 0.5))
    s, c = sincos2pi(100.0 * v)
    tiny = 1e-300 * u * u * u
    return (
        log(wide),
        wide,
        exp(-745.0 * u),
        log1p(wide - 0.5 * u),
        log1p(-v * v),
        expm1(40.0 * (v - 0.9)),
        s,
        c,
        normal_quantile(u * u),
        normal_quantile(tiny),
        log(tiny * 1e-10 + 1e-320),
    )


def gamma_functions(stream, params):
    u, v, _j = uniform_pair(stream, 0)
    a = exp(12.0 * u - 1.5)
    return (
        log_gamma(a * v),
        log_gamma(2.0 + (v - 0.5)),
        log_factorial(int(a)),
        gamma_p(a, a * (0.5 + v)),
        gamma_p(u, v),
        noncentral_chi2_cdf(1.0 + 50.0 * v, 1.0 + 5.0 * u, 40.0 * v),
        noncentral_chi2_cdf(a + 10.0 * v, 3.0, a),
    )


def bits(values):
    return np.asarray(values, dtype=np.float64).view(np.int64)


def same_bits(draw, replicate, size):
    compiled = draw(replicate, ROWS, size=size)
    plain = [replicate((2024, 7, r, 0, 0), ()) for r in range(ROWS)]
    np.testing.assert_array_equal(bits(compiled), bits(plain))
    return compiled


def test_samplers_have_the_same_bits_compiled(draw):
    same_bits(draw, samplers, 9)


def test_elementary_functions_have_the_same_bits_compiled(draw):
    values = same_bits(draw, elementary, 11)
    assert np.isfinite(values).all()


def test_gamma_functions_have_the_same_bits_compiled(draw):
    values = same_bits(draw, gamma_functions, 7)
    assert np.isfinite(values).all()


def test_imports():
    allowed = {"__future__"} | {module.__name__ for module in MODULES}
    for module in MODULES:
        own = allowed | {"math", "struct"} if module.__name__.endswith(".primitives") else allowed
        for item in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(item, ast.Import):
                assert {alias.name for alias in item.names} <= own, module.__name__
            if isinstance(item, ast.ImportFrom):
                assert item.module in own, module.__name__


def test_names_are_unique():
    names = Counter()
    for module in MODULES:
        for item in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
            if isinstance(item, ast.FunctionDef):
                names[item.name] += 1
            if isinstance(item, ast.Assign):
                names.update(target.id for target in item.targets)
    assert {name: count for name, count in names.items() if count > 1} == {}


def test_every_function_is_in_the_language():
    functions = device_functions()
    defined = [f for m in MODULES for f in vars(m).values() if isinstance(f, FunctionType)]
    assert len(functions) > 25
    assert {f for f in defined if not f.__module__.endswith(".primitives")} <= set(functions)
    assert {piece.name for piece in collect(functions)} >= {f.__name__ for f in functions}


def test_every_function_is_annotated():
    for function in device_functions():
        assert set(function.__annotations__) == {
            *function.__code__.co_varnames[: function.__code__.co_argcount],
            "return",
        }
