import doctest
import importlib.util
import itertools
import math
import os
import subprocess
import sys
import tempfile
import textwrap
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from asymptopia.verify.device import elementary, philox
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.normal import normal
from asymptopia.verify.device.stream import uniform
from asymptopia.verify.engine import driver
from asymptopia.verify.engine.build import Kernel, compile_kernel, kernel_hash, unit_source

KEY = (0x12345678, 0x9ABCDEF0)
SHIFT = 0.25
STEPS = (0.5, 2.0)
INF = math.inf


def mixed(stream, params):
    """Return a normal and its exponential times a parameter."""
    z, j = normal(stream, 0)
    k, j = binomial(stream, j, int(params[1]), 0.3)
    return z + SHIFT * STEPS[0], exp(z) * params[0] - k


def single(stream, params):
    u, _j = uniform(stream, 0)
    return u


def counted(stream, params):
    return stream[2] + stream[3]


def troubled(stream, params):
    """Return something not finite, or out of bounds, or usable, in turn."""
    r = stream[2] % 4
    u, _j = uniform(stream, 0)
    if r == 0:
        return u, 1.0
    if r == 1:
        return log(-1.0), 1.0
    if r == 2:
        return u, INF
    return 1e9 * (1.0 + u), u


def scales(*windows):
    """Pivot and exponent of the bound for each statistic, in the layout of a kernel."""
    found = []
    for pivot, exponent in windows:
        found += [pivot, 2.0**exponent]
        for power in range(1, 5):
            head = power * exponent - 11
            found += [2.0 ** (20 - head), 2.0 ** (head - 20), 2.0 ** (62 - head)]
    return np.array(found)


def totals(run, size, spans, params, scale):
    acc = np.zeros(8 * size + 2, dtype=np.int64)
    for first, last in spans:
        run(*KEY, first, last - first, params, scale, acc)
    return acc.tolist()


PARAMS = np.array([0.5, 40.0])
KERNEL = Kernel(mixed, ("z", "e"))
SCALE = scales((0.1, 5), (-3.0, 9))


@pytest.fixture(scope="module")
def run():
    return compile_kernel(KERNEL)


@pytest.mark.parametrize("cuts", [[], [1], [500], [127, 128, 129], list(range(7, 1000, 13)), [256, 512], [999]])
def test_any_split_gives_the_same_integers(run, cuts):
    edges = [0, *cuts, 1000]
    spans = list(itertools.pairwise(edges))
    whole = totals(run, 2, [(0, 1000)], PARAMS, SCALE)
    assert totals(run, 2, spans, PARAMS, SCALE) == whole
    assert totals(run, 2, spans[::-1], PARAMS, SCALE) == whole
    assert any(whole)


def test_python_target_gives_the_same_integers(run):
    acc = [0] * 18
    compile_kernel(KERNEL, "python")(*KEY, 17, 400, PARAMS.tolist(), SCALE.tolist(), acc)
    assert acc == totals(run, 2, [(17, 417)], PARAMS, SCALE)


def test_layout_against_exact_arithmetic(run):
    """Both limbs together are the power sums, to half a unit of 2**(E - 62) a replicate."""
    count = 700
    acc = totals(run, 2, [(0, count)], PARAMS, SCALE)
    rows = [mixed((*KEY, r, 0, 0), PARAMS) for r in range(count)]
    for s, (pivot, exponent) in enumerate([(0.1, 5), (-3.0, 9)]):
        for power in range(1, 5):
            head = power * exponent - 11
            d = [row[s] - pivot for row in rows]
            # left to right, (d d) d and (d d) (d d)
            y = {1: d, 2: [v * v for v in d], 3: [v * v * v for v in d], 4: [(v * v) * (v * v) for v in d]}[power]
            place = 8 * s + 2 * (power - 1)
            total = Fraction(acc[place]) * Fraction(2) ** (head - 20) + Fraction(acc[place + 1]) * Fraction(2) ** (
                head - 62
            )
            exact = sum(map(Fraction, y))
            assert abs(total - exact) <= count * Fraction(2) ** (head - 63)
            assert exact != 0
    assert acc[16:] == [0, 0]


def test_a_limb_is_the_nearest_integer():
    """One replicate whose value is known: 7 + 2**-30, with units 2**-20 and 2**-62."""
    acc = [0] * 10
    scale = scales((0.0, 11)).tolist()
    for target in ("python", "cpu"):
        acc = np.zeros(10, dtype=np.int64)
        # the replicate number is the statistic
        compile_kernel(Kernel(counted, ("r",)), target)(0, 0, 7, 1, [], scale, acc)
        assert acc.tolist()[:4] == [7 * 2**20, 0, 49 * 2**9, 0]
        pivoted = scale.copy()
        pivoted[0] = -(2.0**-30)
        acc = np.zeros(10, dtype=np.int64)
        compile_kernel(Kernel(counted, ("r",)), target)(0, 0, 7, 1, [], pivoted, acc)
        assert acc.tolist()[:2] == [7 * 2**20, 2**32]


def test_driver_functions_in_plain_python():
    """Two statistics of three replicates: the second replicate is not finite, the third out of bounds."""
    scale = scales((1.0, 3), (0.0, 3)).tolist()
    x = [0.0] * (2 * driver.BLOCK)
    x[:3] = [3.0, math.nan, 100.0]
    x[driver.BLOCK : driver.BLOCK + 3] = [0.5, 1.0, 1.0]
    acc = [0] * 18
    assert driver.usable_values(x, scale, 3, 2) == 4
    driver.refuse_replicates(x, scale, acc, 3, 2)
    assert x[:3] == [3.0, 1.0, 1.0]
    assert driver.usable_values(x, scale, 3, 2) == 6
    for s in range(2):
        driver.accumulate_block(x, scale, acc, 3, s)
    # units 2**(k 3 - 31) of the powers of 3 - 1 and of 1/2
    assert acc[:8:2] == [2 * 2**28, 4 * 2**25, 8 * 2**22, 16 * 2**19]
    assert acc[8:16:2] == [2**27, 2**23, 2**19, 2**15]
    assert acc[1:16:2] == [0] * 8
    assert acc[16:] == [1, 1]


def test_replicate_index_has_two_words():
    acc = np.zeros(10, dtype=np.int64)
    run = compile_kernel(Kernel(counted, ("r",)))
    run(0, 0, 2**32 - 1, 3, [], scales((0.0, 40)), acc)
    # (2**32 - 1) + 0, 0 + 1, 1 + 1
    assert acc[0] * 2.0 ** (29 - 20) + acc[1] * 2.0 ** (29 - 62) == 2**32 + 2


def decided(stream, params):
    u, _j = uniform(stream, 0)
    return u < 0.25, stream[2]


@pytest.mark.parametrize("target", ["cpu", "python"])
def test_truth_values_and_integers_are_numbers(target):
    acc = np.zeros(18, dtype=np.int64)
    compile_kernel(Kernel(decided, ("hit", "r")), target)(*KEY, 0, 1000, [], scales((0.0, 0), (0.0, 10)), acc)
    hits = sum(uniform((*KEY, r, 0, 0), 0)[0] < 0.25 for r in range(1000))
    assert acc[0] == hits * 2**31
    assert acc[8] == 999 * 500 * 2**21


@pytest.mark.parametrize("target", ["cpu", "python"])
def test_refused_replicates_are_counted_and_add_nothing(target):
    run = compile_kernel(Kernel(troubled, ("a", "b")), target)
    scale = scales((0.5, 3), (0.0, 3))
    acc = np.zeros(18, dtype=np.int64)
    run(*KEY, 0, 1000, [], scale, acc)
    assert acc[16:].tolist() == [500, 250]
    clean = np.zeros(18, dtype=np.int64)
    for r in range(0, 1000, 4):
        run(*KEY, r, 1, [], scale, clean)
    assert acc[:16].tolist() == clean[:16].tolist()
    assert clean[0] != 0
    assert clean[16:].tolist() == [0, 0]


def test_adds_to_what_is_there(run):
    acc = np.full(18, 5, dtype=np.int64)
    run(*KEY, 0, 10, PARAMS, SCALE, acc)
    assert (acc - 5).tolist() == totals(run, 2, [(0, 10)], PARAMS, SCALE)


@pytest.mark.parametrize(
    ("rep0", "count", "scale", "size", "match"),
    [
        (0, 0, SCALE, 18, "1 .. 2"),
        (0, 2**20 + 1, SCALE, 18, "1 .. 2"),
        (-1, 5, SCALE, 18, "numbered"),
        (2**63 - 1, 2, SCALE, 18, "numbered"),
        (0, 5, SCALE[:-1], 18, "28 scales"),
        (0, 5, SCALE, 17, "18 accumulators"),
    ],
)
@pytest.mark.parametrize("target", ["cpu", "python"])
def test_wrong_arguments(target, rep0, count, scale, size, match):
    with pytest.raises(ValueError, match=match):
        compile_kernel(KERNEL, target)(*KEY, rep0, count, PARAMS, scale, np.zeros(size, dtype=np.int64))


def test_wrong_kernels():
    with pytest.raises(TypeError, match="tuple of at least one name"):
        Kernel(single, ())
    with pytest.raises(TypeError, match="tuple of at least one name"):
        Kernel(single, "mean")
    with pytest.raises(ValueError, match="twice"):
        Kernel(mixed, ("a", "a"))
    with pytest.raises(ValueError, match="'python', 'cpu', 'emulator', 'cuda'"):
        compile_kernel(KERNEL, "gpu")
    with pytest.raises(TypeError, match=r"mixed.*returns 2 values"):
        compile_kernel(Kernel(mixed, ("a",)))
    with pytest.raises(TypeError, match=r"mixed.*returns 2 values"):
        kernel_hash(Kernel(mixed, ("a", "b", "c")))


# ---- the generated source and its hash


def test_source_is_flat_and_names_its_modules():
    source = unit_source(KERNEL, "python")
    assert "# from asymptopia.verify.device.philox" in source
    assert f"# from {__name__}" in source
    assert "SHIFT = 0.25" in source
    assert "STEPS = (0.5, 2.0, )" in source
    assert "Return a normal and its exponential" not in source
    assert "import asymptopia" not in source
    assert "stream: " not in source
    # everything before its use
    assert (
        source.index("def philox4x32") < source.index("def words") < source.index("def mixed") < source.index("_run(")
    )
    cpu = unit_source(KERNEL, "cpu")
    assert "nogil=True" in cpu
    assert "fastmath" not in cpu
    assert "def philox4x32" not in cpu


def test_hash_ignores_comments_docstrings_and_annotations():
    first, second = (
        module_of(
            f"""
            from asymptopia.verify.device.stream import uniform, Stream
            LEVEL = 0.5
            {note}
            def level(stream{kind}, params){result}:
                {doc}
                u, j = uniform(stream, 0)  {note}
                hit{kind2} = 1.0 if u < LEVEL else 0.0
                return hit
            """
        )
        for note, kind, result, doc, kind2 in (
            ("", "", "", "", ""),
            ("# why", ": Stream", " -> float", '"""Return a hit."""', ": float"),
        )
    )
    assert kernel_hash(Kernel(first.level, ("hit",))) == kernel_hash(Kernel(second.level, ("hit",)))


def test_hash_sees_every_change(monkeypatch):
    before = kernel_hash(KERNEL)
    assert before == kernel_hash(Kernel(mixed, ("other", "names")))
    assert len(before) == 64
    assert before != kernel_hash(Kernel(single, ("u",)))
    for owner, name, value in (
        (philox, "PHILOX_W0", philox.PHILOX_W0 ^ 1),
        (elementary, "EXP9", math.nextafter(elementary.EXP9, 1.0)),
        (driver, "BLOCK", driver.BLOCK * 2),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            assert kernel_hash(KERNEL) != before
    monkeypatch.setitem(mixed.__globals__, "SHIFT", 0.125)
    assert kernel_hash(KERNEL) != before


def module_of(text: str, name: str = "kernel_under_test", folder: Path | None = None):
    """A module made of a text, with a file that inspect can read."""
    folder = folder or Path(tempfile.mkdtemp())
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STALE = """
import sys
import numpy as np
from asymptopia.verify.device import stream
from asymptopia.verify.device.stream import uniform
from asymptopia.verify.engine.build import Kernel, compile_kernel, kernel_hash

if len(sys.argv) > 1:
    stream.BELOW_ONE = float(sys.argv[1])

def single(stream, params):
    u, _j = uniform(stream, 0)
    return u

kernel = Kernel(single, ("u",))
acc = np.zeros(10, dtype=np.int64)
scale = [0.0, 16.0]
for power in range(1, 5):
    head = power * 4 - 11
    scale += [2.0 ** (20 - head), 2.0 ** (head - 20), 2.0 ** (62 - head)]
compile_kernel(kernel)(1, 2, 0, 1, [], scale, acc)
print(kernel_hash(kernel), acc[0] * 2.0 ** (4 - 11 - 20) + acc[1] * 2.0 ** (4 - 11 - 62))
"""


def test_changed_device_constant_reaches_the_next_process(tmp_path):
    script = tmp_path / "kernel.py"
    script.write_text(STALE)
    environment = os.environ | {"ASYMPTOPIA_CACHE_DIR": str(tmp_path / "cache")}

    def values(*arguments):
        command = [sys.executable, str(script), *arguments]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digest, value = result.stdout.split()
        return digest, float(value)

    first, again, changed = values(), values(), values("0.5")
    assert first == again
    assert changed[0] != first[0]
    assert changed[1] == first[1] + (1.0 - 2.0**-53) - 0.5
    assert list((tmp_path / "cache").rglob("*.nbc"))


def test_kernel_defined_in_a_doctest():
    """The source of a function typed into a doctest is found while it runs."""
    text = """
    >>> from asymptopia.verify.device.stream import uniform
    >>> from asymptopia.verify.engine.build import Kernel, kernel_hash
    >>> def typed(stream, params):
    ...     u, _j = uniform(stream, 0)
    ...     return u
    >>> len(kernel_hash(Kernel(typed, ("u",))))
    64
    """
    example = doctest.DocTestParser().get_doctest(text, {}, "typed", None, 0)
    assert doctest.DocTestRunner().run(example).failed == 0


def test_compiler_switched_off():
    code = (
        f"import runpy; space = runpy.run_path({__file__!r}); "
        "run = space['compile_kernel'](space['KERNEL']); "
        "print(space['totals'](run, 2, [(0, 50)], space['PARAMS'].tolist(), space['SCALE']))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True, check=True
        ).stdout
        for env in ({"NUMBA_DISABLE_JIT": "1"}, {})
    ]
    assert found[0] == found[1] != ""
