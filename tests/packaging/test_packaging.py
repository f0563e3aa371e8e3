"""The package: what is listed, what is imported, what is shipped."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import asymptopia

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = {"asymptopia": "src/asymptopia", "asymptopia.theory": "theory", "asymptopia.verify": "verify"}


def tree() -> set[str]:
    """Every package of the source tree by its import name."""
    found = set()
    for name, folder in FOLDERS.items():
        base = ROOT / folder
        for init in base.rglob("__init__.py"):
            inside = init.parent.relative_to(base).parts
            linked = name == "asymptopia" and inside and inside[0] in {"theory", "verify"}
            if not linked and "__pycache__" not in inside:
                found.add(".".join([name, *inside]))
    return found


def test_package_list_equals_the_tree() -> None:
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(tree())
    assert listed == sorted(listed)


def test_package_dir_maps_the_folders() -> None:
    assert PROJECT["tool"]["setuptools"]["package-dir"] == FOLDERS


def test_version_is_one() -> None:
    assert PROJECT["project"]["version"] == asymptopia.__version__


def test_default_and_test_requirements_never_pull_torch_or_jax() -> None:
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {entry.split(">")[0].split("[")[0].strip().lower() for entry in wanted}
    assert not names & {"torch", "jax", "jaxlib", "tensorflow"}


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {"numba", "sympy", "scipy.stats", "matplotlib", "pandas", "statsmodels", "mpmath", "rich"}


@pytest.mark.parametrize(
    "statement",
    [
        "import asymptopia",
        "import asymptopia.theory",
        "import asymptopia.theory.scorecard",
        "import asymptopia.verify",
        "from asymptopia._cli import main",
    ],
)
def test_imports_stay_light(statement: str) -> None:
    assert not modules_after(statement) & HEAVY


def test_theory_loads_neither_verify_nor_plots_nor_frames() -> None:
    loaded = modules_after("from asymptopia.theory.scorecard import information_value, psi, woe_table")
    assert not {name for name in loaded if name.startswith(("asymptopia.verify", "matplotlib", "pandas", "narwhals"))}


def imports_of(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_theory_never_imports_verify_or_the_command_line() -> None:
    for path in (ROOT / "theory").rglob("*.py"):
        bad = {name for name in imports_of(path) if name.startswith(("asymptopia.verify", "asymptopia._cli"))}
        assert not bad, f"{path.name} imports {bad}"


def test_results_do_not_import_each_other() -> None:
    results = [path for path in (ROOT / "theory").iterdir() if path.is_dir() and not path.name.startswith("_")]
    for result in results:
        others = {f"asymptopia.theory.{other.name}" for other in results if other != result}
        for path in result.rglob("*.py"):
            assert not {name for name in imports_of(path) if any(name.startswith(other) for other in others)}


def test_modules_stay_small() -> None:
    sizes = {
        path: path.read_text(encoding="utf-8").count("\n")
        for folder in FOLDERS.values()
        for path in (ROOT / folder).rglob("*.py")
        if not path.is_symlink()
    }
    assert max(sizes.values()) <= 500, max(sizes, key=lambda path: sizes[path])
    assert sorted(sizes.values())[len(sizes) // 2] <= 200


def test_symlinks_lead_to_the_folders() -> None:
    for name in ("theory", "verify"):
        link = ROOT / "src" / "asymptopia" / name
        if not os.path.lexists(link):
            pytest.skip("an unpacked sdist has no links; only type checkers need them")
        assert link.is_symlink()
        assert link.resolve() == ROOT / name


def test_typed_markers_are_there() -> None:
    for folder in FOLDERS.values():
        assert (ROOT / folder / "py.typed").is_file()


def test_lazy_names_resolve_and_unknown_ones_say_so() -> None:
    assert asymptopia.theory.__name__ == "asymptopia.theory"
    assert asymptopia.verify.__name__ == "asymptopia.verify"
    assert {"theory", "verify"} <= set(dir(asymptopia))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        asymptopia.nothing  # noqa: B018
    for package in (asymptopia.theory.scorecard, asymptopia.verify):
        for name in package.__all__:
            assert getattr(package, name) is not None
