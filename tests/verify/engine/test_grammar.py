"""What a kernel may not use: every refusal names the function, what it found and what is allowed."""

import math
from functools import partial

import numpy as np
import pytest

from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import uniform
from asymptopia.verify.engine.ahead import Ahead
from asymptopia.verify.engine.build import Kernel, compile_kernel, kernel_hash

TABLE = [1.0, 2.0]
HUGE = 2**63
WORDS = ("a", 1)
ROOT = math.sqrt(2)
NUMPY = np.float64(0.5)
FLAG = True
_run = 1.0
other_name = log


class Point:
    x = 1.0


def uses_numpy(stream, params):
    return np.sqrt(2.0)


def uses_math(stream, params):
    return math.log(2.0)


def uses_class(stream, params):
    return Point


def uses_list(stream, params):
    return TABLE[0]


def uses_huge(stream, params):
    return HUGE * 1.0


def uses_words(stream, params):
    return WORDS[1]


def uses_huge_literal(stream, params):
    return 0xFFFFFFFFFFFFFFFF * 1.0


def uses_builtin(stream, params):
    return sum(params)


def uses_unknown(stream, params):
    return no_such_name  # noqa: F821


def uses_power(stream, params):
    u, _j = uniform(stream, 0)
    return u**2


def uses_list_display(stream, params):
    x = [1.0]
    return x[0]


def uses_comprehension(stream, params):
    return max(p for p in params)


def uses_lambda(stream, params):
    f = lambda x: x  # noqa: E731
    return f(1.0)


def uses_inner(stream, params):
    def inner(x):
        return x

    return inner(1.0)


def uses_try(stream, params):
    try:
        return 1.0
    except ValueError:
        return 0.0


def uses_string(stream, params):
    return len("abc")


def uses_bare_call(stream, params):
    uniform(stream, 0)
    return 1.0


def uses_slice(stream, params):
    return len(params[1:])


def uses_default(stream, params=()):
    return 1.0


def uses_reserved(stream, params):
    return _run


def uses_alias(stream, params):
    return other_name(2.0)


def uses_itself(stream, params):
    return uses_itself(stream, params)


def one_argument(stream):
    return 1.0


def returns_nothing(stream, params):
    return


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (uses_numpy, "attribute"),
        (uses_math, "attribute"),
        (uses_class, "'Point', the class Point"),
        (uses_list, "'TABLE', an object of type list"),
        (uses_huge, "signed 64-bit"),
        (uses_words, "'WORDS', an object of type str"),
        (uses_huge_literal, "18446744073709551615"),
        (uses_builtin, "the builtin 'sum'"),
        (uses_unknown, "'no_such_name', which"),
        (uses_power, "write the product"),
        (uses_list_display, "List is not"),
        (uses_comprehension, "GeneratorExp is not"),
        (uses_lambda, "lambda"),
        (uses_inner, "function inside a function"),
        (uses_try, "Try is not"),
        (uses_string, "Constant is not"),
        (uses_bare_call, "Expr is not"),
        (uses_slice, "Slice is not"),
        (uses_default, "without defaults"),
        (uses_reserved, "'_run' is taken"),
        (uses_alias, "another name of the function 'log'"),
        (uses_itself, "calls itself"),
        (one_argument, "two arguments"),
        (returns_nothing, "returns 0 values"),
    ],
)
def test_refusals(function, match):
    with pytest.raises(TypeError, match=match) as caught:
        kernel_hash(Kernel(function, ("x",)))
    if function is not uses_reserved:
        assert function.__name__ in str(caught.value)


@pytest.mark.parametrize("function", [uses_numpy, uses_list, uses_builtin, uses_power, uses_inner])
def test_refusals_say_what_is_allowed(function):
    with pytest.raises(TypeError, match=r"a kernel may use its arguments, numbers, the functions of asymptopia"):
        compile_kernel(Kernel(function, ("x",)))


def test_closures_are_refused():
    level = 0.5

    def closure(stream, params):
        return level

    with pytest.raises(TypeError, match="closure over level"):
        kernel_hash(Kernel(closure, ("x",)))


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="plain Python functions"):
        kernel_hash(Kernel(partial(uses_numpy), ("x",)))
    with pytest.raises(TypeError, match="plain Python functions"):
        compile_kernel(Kernel(partial(uses_numpy), ("x",)))
    with Ahead([Kernel(partial(uses_numpy), ("x",))], 2) as compiling:
        assert compiling._orders == {}
    with pytest.raises(TypeError, match="no def statement"):
        kernel_hash(Kernel(lambda stream, params: 1.0, ("x",)))


def test_function_without_source():
    space = {}
    exec("def typed(stream, params):\n    return 1.0\n", space)
    with pytest.raises(TypeError, match=r"typed: its source text cannot be read.*notebook"):
        kernel_hash(Kernel(space["typed"], ("x",)))


def test_two_objects_of_one_name():
    # a device function of the same name is in use below normal()
    space = {"uniform": uniform, "BELOW_ONE": 0.25}
    clash = type(shadowing)(shadowing.__code__, space, "shadowing")
    clash.__module__ = __name__
    with pytest.raises(TypeError, match=r"'BELOW_ONE' names two different objects"):
        kernel_hash(Kernel(clash, ("x",)))


def shadowing(stream, params):
    u, _j = uniform(stream, 0)
    return u * BELOW_ONE  # noqa: F821


def semantics(stream, params):
    u, _j = uniform(stream, 0)
    i = int(200.0 * (u - 0.5))
    k = stream[2] - 50
    q = 0.0
    for step in range(3):
        if step == 1:
            continue
        q += step
    while k > 40:
        k -= 7
    flag = FLAG and u < 0.5
    x = min(max(u, 0.25), 0.75) if not flag else -u
    a = i // 7 + i % 7 * 10 + (i >> 2) + (i << 3) + (i & 12) + (i ^ 5) + (i | 3) + ~i
    return x, float(a), bool(k) * 1.0 + abs(k) + q + ROOT * NUMPY, u % 0.3 + (-u) % 0.3, 0.2 < u <= 0.8


def test_the_language_means_the_same_compiled():
    kernel = Kernel(semantics, tuple("abcde"))
    scale = []
    for _ in range(5):
        scale += [0.0, 2.0**14]
        for power in range(1, 5):
            head = power * 14 - 11
            scale += [2.0 ** (20 - head), 2.0 ** (head - 20), 2.0 ** (62 - head)]
    compiled, plain = np.zeros(42, dtype=np.int64), [0] * 42
    compile_kernel(kernel)(3, 4, 0, 300, [], scale, compiled)
    compile_kernel(kernel, "python")(3, 4, 0, 300, [], scale, plain)
    assert compiled.tolist() == plain
    assert plain[40:] == [0, 0]
    assert all(plain[8 * s + 2] for s in range(5))
