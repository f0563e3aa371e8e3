"""The CUDA target: simulated, as assembly, and on a device where there is one; what is said where there is none."""

from __future__ import annotations

import ast
import importlib
import json
import logging
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import asymptopia
from asymptopia.__main__ import main
from asymptopia.verify import Case, Check, Kernel, Mutant, Target, cli, run, select
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.gamma import gamma
from asymptopia.verify.device.normal import normal
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine import cuda, targets
from asymptopia.verify.engine.build import compile_kernel
from asymptopia.verify.engine.exact import Window, accumulator, scale_array

KEY = (0x12345678, 0x9ABCDEF0)
WINDOW = Window(pivot=0.0, exponent=6)
USABLE, REASON = cuda.available()
DEVICES = ["emulator", pytest.param("cuda", marks=pytest.mark.skipif(not USABLE, reason=REASON))]
needs_package = pytest.mark.skipif(cuda.installed() is None, reason="neither numba-cuda nor numba-cuda-mlir installed")


def uniforms(stream: Stream, params: list[float]) -> float:
    u, _j = uniform(stream, 0)
    return u


def binomials(stream: Stream, params: list[float]) -> tuple[int, int]:
    small, j = binomial(stream, 0, 40, 0.1)
    large, j = binomial(stream, j, 1000, 0.02)
    return small, large


def floats(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    z, j = normal(stream, 0)
    g, j = gamma(stream, j, params[0])
    return exp(0.25 * z) + log(1.0 + z * z) / 3.0, min(g, 60.0), abs(z) / (1.0 + g)


KERNELS = [
    (Kernel(uniforms, ("u",)), ()),
    (Kernel(binomials, ("small", "large")), ()),
    (Kernel(floats, ("z", "g", "ratio")), (2.5,)),
]
TARGET = Target(
    name="mean",
    statistic="u",
    theory=0.5,
    delta=0.1,
    delta_reason="stated band",
    sd=0.3,
    mutants=(Mutant(name="far", theory=2.0),),
)
CASE = Case(name="", params=(), targets=(TARGET,), budget=2048)
CHECK = Check(id="test.uniform", statement="A uniform", kernel=KERNELS[0][0], cases=lambda _: (CASE,))


def totals(kernel: Kernel, compiled: Any, params: Any, first: int, count: int) -> list[int]:
    windows = [WINDOW] * len(kernel.statistics)
    acc = accumulator(windows)
    compiled(*KEY, first, count, np.array(params, dtype=float), scale_array(windows), acc)
    return [int(value) for value in acc]


def simulated() -> list[list[int]]:
    return [totals(kernel, compile_kernel(kernel, "cuda"), params, 5, 60) for kernel, params in KERNELS]


# ---- one body for every device


@pytest.mark.parametrize("target", DEVICES)
@pytest.mark.parametrize(("kernel", "params"), KERNELS, ids=lambda item: getattr(item, "statistics", None))
def test_integers_are_those_of_the_cpu(target: str, kernel: Kernel, params: Any) -> None:
    expected, found = (compile_kernel(kernel, name) for name in ("cpu", target))
    for first, count in ((0, 1), (7, 300), (2**40 - 3, 70)):
        assert totals(kernel, found, params, first, count) == totals(kernel, expected, params, first, count)


@pytest.mark.parametrize("target", DEVICES)
def test_digest_is_that_of_the_cpu(target: str) -> None:
    first, second = (run(CHECK, target=name).entries[0] for name in ("cpu", target))
    assert first.status == "pass"
    assert (first.digest, first.spec, first.replicates) == (second.digest, second.spec, second.replicates)
    assert second.device == target


@pytest.mark.skipif(not USABLE, reason=REASON)
def test_contracted_statistics_agree_to_twelve_digits() -> None:
    """Without accept and reject decisions turned; a difference there has a chance of 1e-15 an attempt."""
    kernel, params = KERNELS[2]
    expected = compile_kernel(kernel)
    found = cuda.compile_grid(kernel, deterministic=False)
    for first in range(50):
        # both limbs of a first power, in units of the second
        one, other = (np.array(totals(kernel, item, params, first, 1), dtype=float) for item in (expected, found))
        values = one[:24:8] * 2.0**42 + one[1:24:8]
        assert np.all(abs(values - (other[:24:8] * 2.0**42 + other[1:24:8])) <= 1e-12 * abs(values))


@pytest.mark.skipif(not USABLE or cuda.simulated(), reason=REASON)
def test_every_shipped_kernel_on_the_device() -> None:
    for check in select([]):
        case = check.cases("quick")[0]
        first, second = (compile_kernel(check.kernel, name) for name in ("cpu", "cuda"))
        assert totals(check.kernel, first, case.params, 0, 1 << 14) == totals(
            check.kernel, second, case.params, 0, 1 << 14
        )


# ---- without a device


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed: no simulator")
def test_simulator_gives_the_integers_of_the_cpu() -> None:
    code = f"import runpy; print(runpy.run_path({__file__!r})['simulated']())"
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = [totals(kernel, compile_kernel(kernel), params, 5, 60) for kernel, params in KERNELS]
    assert ast.literal_eval(done.stdout) == expected


def pretend(monkeypatch: pytest.MonkeyPatch, package: cuda.Package) -> tuple[int, int]:
    """Let the package compile as if for a device; return its compute capability."""
    if package.name == "numba-cuda":
        device = SimpleNamespace(compute_capability=(9, 0))
        dispatcher = importlib.import_module("numba.cuda.dispatcher")
        monkeypatch.setattr(dispatcher, "get_current_device", lambda: device)
        return 9, 0
    monkeypatch.setattr(importlib.import_module("numba_cuda_mlir.tools"), "_cached_cc", (10, 0))
    return 10, 0


@needs_package
@pytest.mark.parametrize(("kernel", "params"), KERNELS, ids=lambda item: getattr(item, "statistics", None))
def test_assembly_rounds_one_by_one(kernel: Kernel, params: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = cuda.installed()
    assert package is not None
    if cuda.simulated() or not package.driver("nvvm").is_available():
        pytest.skip(f"{package.name} finds no compiler (libNVVM)")
    capability = pretend(monkeypatch, package)
    try:
        text = cuda.ptx(kernel, capability)
    except cuda.NoDeviceError as error:
        if "finds no compiler" not in str(error):
            raise
        pytest.skip(str(error))
    cuda.check_contraction(text)
    counts = {name: len(re.findall(re.escape(name), text)) for name in ("mul.rn.f64", "add.rn.f64", "max.f64", "call")}
    assert counts["mul.rn.f64"] > 5
    assert counts["add.rn.f64"] > 5
    # neither the maximum that drops a nan nor a function of a library
    assert counts["max.f64"] == counts["call"] == 0
    assert "atom.global.add.u64" in text or "red.global.add.u64" in text
    contracted = cuda.ptx(kernel, capability, deterministic=False)
    with pytest.raises(cuda.NoDeviceError, match=r"mul\.f64"):
        cuda.check_contraction(contracted)


def test_a_library_of_the_compiler_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    class DynamicLibNotFoundError(RuntimeError):
        pass

    monkeypatch.setattr(cuda, "installed", lambda: SimpleNamespace(name="numba-cuda"))
    missing = r'numba-cuda finds no compiler: Failure finding "libnvrtc.so": pip install'
    with pytest.raises(cuda.NoDeviceError, match=missing), cuda.compiler():
        raise DynamicLibNotFoundError('Failure finding "libnvrtc.so":\nwhere it was looked for')
    with pytest.raises(OSError, match="other"), cuda.compiler():
        raise OSError("other")


def test_no_other_module_imports_a_cuda_package() -> None:
    root = Path(asymptopia.__file__).parent
    pattern = re.compile(r"numba[._]cuda|^cuda(\.|$)|numba_cuda_mlir")
    found = []
    for path in [*root.rglob("*.py"), *(root / "theory").rglob("*.py"), *(root / "verify").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names if not node.level]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                names = [node.value] if node.value != "cuda" else []
            found += [path.name for name in names if pattern.search(name)]
    assert set(found) == {"cuda.py"}


def test_importing_the_engine_loads_no_cuda_package() -> None:
    code = (
        "import sys; import asymptopia.verify.engine.targets; "
        "print([name for name in sys.modules if name.startswith(('numba.cuda.', 'numba_cuda', 'cuda'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # what an installed package's own hook loads at the start of every interpreter
    assert [name for name in ast.literal_eval(done.stdout) if not name.startswith("numba_cuda_redirector")] == []


def package(**changes: Any) -> SimpleNamespace:
    device = SimpleNamespace(name="Card", compute_capability=(9, 0), MULTIPROCESSOR_COUNT=132)
    module = {
        "jit": len,
        "is_available": lambda: True,
        "cuda_error": lambda: None,
        "gpus": [device],
        "get_current_device": lambda: device,
    }
    module.update({name: value for name, value in changes.items() if name in module})
    driver = SimpleNamespace(driver=SimpleNamespace(get_version=lambda: (13, 0)))
    lowest = changes.get("lowest", (0, 0))
    return SimpleNamespace(name="numpy", module=SimpleNamespace(**module), driver=lambda _: driver, lowest=lowest)


def broken() -> None:
    message = "undefined\nsymbol"
    raise OSError(message)


@pytest.mark.parametrize(
    ("found", "usable", "reason"),
    [
        (None, False, r"no CUDA package is installed: pip install 'asymptopia\[gpu\]'"),
        (
            package(is_available=lambda: False, cuda_error=lambda: "\nno library.\n"),
            False,
            "NVIDIA driver: no library$",
        ),
        (package(is_available=lambda: False, cuda_error=lambda: "CUDA_ERROR_NO_DEVICE (100)"), False, "no CUDA device"),
        (package(is_available=lambda: False), False, "no compiler"),
        (package(gpus=[]), False, "lists none"),
        (package(is_available=broken), False, "numpy cannot be used: undefined symbol"),
        (package(lowest=(10, 0)), False, "cannot round as the CPU does on this device"),
        (package(), True, rf"Card, compute capability 9.0, driver for CUDA 13.0, numpy {np.__version__}"),
    ],
)
def test_what_is_missing_is_named(found: Any, usable: bool, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "installed", lambda: found)
    answer = cuda.available.__wrapped__()
    assert answer[0] is usable
    assert re.search(reason, answer[1])
    assert "\n" not in answer[1]


def test_contraction_is_switched_off_for_one_compilation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unit:
        def __init__(self, options: dict[str, Any]) -> None:
            self.options = options

    class Other:
        def __init__(self, options: dict[str, Any], more: int) -> None: ...

    fake = SimpleNamespace(name="numpy", driver=lambda _: SimpleNamespace(CompilationUnit=Unit))
    monkeypatch.setattr(cuda, "installed", lambda: fake)
    with cuda.contraction(allowed=False):
        assert Unit({"arch": "compute_90"}).options == {"arch": "compute_90", "fma": False}
    with cuda.contraction(allowed=True):
        assert Unit({"arch": "compute_90"}).options == {"arch": "compute_90"}
    for changed in (SimpleNamespace(), SimpleNamespace(CompilationUnit=Other)):
        monkeypatch.setattr(fake, "driver", lambda _, changed=changed: changed)
        with (
            pytest.raises(cuda.NoDeviceError, match="takes its compiler options elsewhere"),
            cuda.contraction(allowed=False),
        ):
            pass
    cuda.check_contraction("mul.rn.f64 add.rn.f64 div.rn.f64 sqrt.rn.f64 mul.lo.s64")
    with pytest.raises(cuda.NoDeviceError, match="although told not to"):
        cuda.check_contraction("mul.f64")


NOTHING = "no CUDA device: the driver lists none"


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "available", lambda: (False, NOTHING))


@pytest.mark.usefixtures("no_device")
def test_a_required_device_that_is_missing_is_exit_3(capsys: pytest.CaptureFixture[str]) -> None:
    for option in (["--device", "cuda"], ["--require-gpu"], ["--device", "cuda", "--shard", "1/2", "--ledger", "x"]):
        assert main(["verify", *option]) == 3
        captured = capsys.readouterr()
        assert captured.err == f"asymptopia verify: cannot use a CUDA device: {NOTHING}\n"
        assert captured.out == ""


@pytest.mark.usefixtures("no_device")
def test_targets_of_a_run(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError, match=NOTHING):
        run(CHECK, target="cuda")
    with pytest.raises(RuntimeError, match=NOTHING):
        compile_kernel(CHECK.kernel, "cuda")
    with pytest.raises(ValueError, match="target"):
        run(CHECK, target="gpu")
    with caplog.at_level(logging.INFO, logger="asymptopia"):
        report = run(CHECK, target="auto")
    assert [record.getMessage() for record in caplog.records] == [f"kernels run on the CPU: {NOTHING}"]
    assert report.entries[0].device == "cpu"
    assert targets.status() == {"python": "ok", "cpu": "ok", "emulator": "ok", "cuda": NOTHING}


@pytest.mark.usefixtures("no_device")
def test_doctor_shows_every_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "-"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [facts[f"target {name}"] for name in ("python", "cpu", "emulator", "cuda")] == ["ok", "ok", "ok", NOTHING]


@pytest.mark.parametrize("error", [0, 1])
def test_a_second_run_on_the_device_is_compared(
    error: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the CPU in the place of a device, whose integers may be wrong."""

    def compile_grid(kernel: Kernel, grid: object = None) -> Any:
        inner = compile_kernel(kernel, "cpu")

        def launch(*arguments: Any) -> None:
            inner(*arguments)
            arguments[-1][0] += error

        return launch

    monkeypatch.setattr(cuda, "available", lambda: (True, "Card"))
    monkeypatch.setattr(cuda, "compile_grid", compile_grid)
    monkeypatch.setattr(cuda, "device", lambda: "Card")
    monkeypatch.setattr(cli, "select", lambda names: [CHECK])
    code = main(["verify", "--require-gpu", "--json", "-"])
    captured = capsys.readouterr()
    assert code == error
    report = json.loads(captured.out)
    assert {entry["device"] for entry in report["checks"]} == {"cpu"}
    assert "device" not in report["manifest"]["machine"]
    last = captured.err.strip().splitlines()[-1]
    assert "totals agree on cpu and cuda" in last
    assert ("these differ: test.uniform" in last) == bool(error)
    assert run(CHECK, target="auto").manifest["machine"]["device"] == "Card"
    monkeypatch.setattr(cuda, "compile_grid", lambda kernel, grid=None: cuda.check_contraction("mul.f64"))
    assert main(["verify", "--device", "cuda"]) == 3
    assert "contracts operations although told not to" in capsys.readouterr().err
    assert main(["verify", "--require-gpu", "--shard", "1/2"]) == 2
