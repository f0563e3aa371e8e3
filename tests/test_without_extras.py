"""Without an optional package: what needs it names the extra, and everything else works."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from asymptopia._cli import COMMANDS, main
from asymptopia._cli.doctor import OPTIONAL

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
MODULES = {
    "sklearn": ("sklearn", "sklearn.datasets"),
    "certify": ("flint",),
    "dask": ("distributed", "dask"),
    "gpu": ("numba_cuda", "numba_cuda_mlir"),
    "app": ("marimo",),
}
"""What an extra installs that the package imports."""
DEVELOPMENT = {"docs", "bench", "test"}


def test_every_extra_of_users_is_here() -> None:
    assert set(MODULES) == set(EXTRAS) - DEVELOPMENT
    # the doctor says of each whether it is there
    assert set(OPTIONAL.values()) == set(MODULES)


def lost(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MODULES[extra]:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("command", ["kde", "radius", "pn"])
def test_without_sklearn_its_data_sets_are_missed(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost("sklearn", monkeypatch)
    assert main([command, "--dataset", "iris" if command == "pn" else "digits"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"asymptopia {command}: ")
    assert error.count("\n") == 1
    assert "scikit-learn" in error
    assert "pip install" in error


def test_without_flint_enclosures_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    lost("certify", monkeypatch)
    from asymptopia.theory.softmax import softmax_radius

    z, a = [1.2, -0.3, 0.7], [0.9, -0.4, 0.35]
    with pytest.raises(ModuleNotFoundError, match=r"asymptopia\[certify\]"):
        softmax_radius(z, a, method="exact", certified=True)
    assert softmax_radius(z, a, method="exact").radius > 0


def test_without_dask_a_scheduler_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost("dask", monkeypatch)
    monkeypatch.delitem(sys.modules, "asymptopia.verify.engine.dask", raising=False)
    assert main(["verify", "engine.largest_normal", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "asymptopia[dask]" in capsys.readouterr().err


def test_without_a_cuda_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from asymptopia.verify.engine import cuda

    lost("gpu", monkeypatch)
    for asked in (cuda.installed, cuda.available):
        asked.cache_clear()
    try:
        assert main(["verify", "engine.largest_normal", "--device", "cuda"]) == 3
        assert "asymptopia[gpu]" in capsys.readouterr().err
    finally:
        for asked in (cuda.installed, cuda.available):
            asked.cache_clear()


def test_without_marimo_the_explorer_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost("app", monkeypatch)
    monkeypatch.setitem(COMMANDS, "explore", ("asymptopia._cli.explore", "sliders"))
    assert main(["explore"]) == 2
    assert "asymptopia[app]" in capsys.readouterr().err


@pytest.mark.slow
def test_everything_else_works_without_any_extra(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    absent = [name for names in MODULES.values() for name in names] + ["polars", "pyarrow", "tqdm", "IPython", "yaml"]
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({absent!r}))\n"
        "from asymptopia._cli import main\n"
        "from asymptopia import theory\n"
        "for result in theory.__all__:\n"
        "    package = getattr(theory, result)\n"
        "    for name in package.__all__:\n"
        "        try:\n"
        "            getattr(package, name)\n"
        "        except ModuleNotFoundError as error:\n"
        "            assert (name, 'asymptopia[sklearn]' in str(error)) == ('WoEEncoder', True), name\n"
        "for line in sys.stdin:\n"
        "    code = main(line.split())\n"
        "    assert code == 0, (line, code)\n"
        "assert not [name for name in sys.modules if name.startswith('sklearn') and sys.modules[name]]\n"
    )
    lines = [
        "iv --dataset fair --target affairs --event >0",
        "psi --dataset fair --split rate_marriage<=3",
        "kde --dataset star98",
        "pn --dataset star98",
        "radius --simulate",
        "bon --simulate",
        "cite softmax",
        "doctor",
        f"verify engine.largest_normal --profile quick --quiet --json {report}",
        f"report {report} --html {tmp_path / 'report.html'}",
    ]
    command, given = [sys.executable, "-c", code], "\n".join(lines)
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "not installed (extra: certify)" in done.stdout or "python-flint" in done.stdout
    saved: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert saved["checks"]
