"""The lower bounds: every requirement has one, and the script prints the set that CI installs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("lowest.py")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# never installed by an extra: each is larger than everything else together
NEVER = {"torch", "jax", "jaxlib", "tensorflow"}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lowest", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_script_prints_the_oldest_set() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "sklearn"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        entry.replace(">=", "==") for entry in [*PROJECT["dependencies"], *EXTRAS["sklearn"]]
    ]


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_every_requirement_has_a_lower_bound(extra: str | None, module: ModuleType) -> None:
    entries = PROJECT["dependencies"] if extra is None else EXTRAS[extra]
    names = {entry.split("==")[0].split("[")[0].lower() for entry in module.lowest(entries)}
    assert len(names) == len(entries) > 0
    assert not names & NEVER


def test_extras_are_those_of_the_design() -> None:
    assert set(EXTRAS) == {"gpu", "dask", "certify", "sklearn", "app", "docs", "bench", "test"}


def test_an_extra_and_the_tests_agree_on_a_bound() -> None:
    bounds: dict[str, set[str]] = {}
    for entry in [*PROJECT["dependencies"], *(entry for extra in EXTRAS.values() for entry in extra)]:
        name, _, bound = entry.partition(">=")
        bounds.setdefault(name, set()).add(bound)
    assert not {name: found for name, found in bounds.items() if len(found) > 1}


@pytest.mark.parametrize("entry", ["numpy", "numpy<3", "numpy>=2,<3", "numpy~=2.0", "numpy>=2; python_version<'3.13'"])
def test_what_is_not_a_lower_bound_is_refused(entry: str, module: ModuleType) -> None:
    with pytest.raises(ValueError, match="form name>=version"):
        module.lowest([entry])


def test_the_versions_here_are_not_below_the_bounds() -> None:
    def release(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.split(".")[:3] if part.isdigit())

    for entry in PROJECT["dependencies"]:
        name, _, bound = entry.partition(">=")
        assert release(version(name)) >= release(bound), entry
