"""The wheel and the sdist: built, held against the tree and each other, installed in a clean environment, removed."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest

import asymptopia

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", "benchmarks", "docs", "examples", "src", "tests", "theory", "verify")
MADE = ("__pycache__", "_build", "*.egg-info", "*.pyc", ".*_cache", ".hypothesis", ".ipynb_checkpoints")
PACKAGES = {"asymptopia": ROOT / "src" / "asymptopia", "asymptopia/theory": ROOT / "theory"}
PACKAGES["asymptopia/verify"] = ROOT / "verify"
INFO = f"asymptopia-{asymptopia.__version__}.dist-info"
DATA = {"asymptopia/py.typed", "asymptopia/theory/py.typed", "asymptopia/verify/py.typed"}
DATA.add("asymptopia/theory/references.bib")


@dataclass(frozen=True)
class Built:
    """The sdist, a wheel built from it and one built from the tree."""

    sdist: Path
    wheel: Path
    wheel_of_tree: Path


def copy_tree(target: Path) -> Path:
    """Copy the sources: what an earlier build left in the repository would find its way into the next one."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=shutil.ignore_patterns(*MADE))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, target / path.name)
    return target


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the sdist, a wheel from it and a wheel from the tree, offline: with this environment's setuptools."""
    pytest.importorskip("build", reason="build is not installed; the extra asymptopia[test] has it")
    folder = tmp_path_factory.mktemp("distributions")
    tree = copy_tree(folder / "tree")
    for out, options in ((folder / "of_sdist", []), (folder / "of_tree", ["--wheel"])):
        command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", out, tree]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = folder.glob("of_sdist/*.tar.gz")
    (wheel,) = folder.glob("of_sdist/*.whl")
    (wheel_of_tree,) = folder.glob("of_tree/*.whl")
    return Built(sdist=sdist, wheel=wheel, wheel_of_tree=wheel_of_tree)


def contents(wheel: Path) -> dict[str, bytes]:
    """Return what is in a wheel by name; no name may occur twice."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name) for name in names}


def modules_of_the_tree() -> set[str]:
    """Return the modules as a wheel names them. The links in src would show the folders a second time."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in PACKAGES.items()
        for path in folder.rglob("*.py")
        if not (name == "asymptopia" and path.relative_to(folder).parts[0] in {"theory", "verify"})
    }


@pytest.mark.slow
def test_the_sdist_is_the_repository(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = {member.name.partition("/")[2]: member for member in archive if not member.isdir()}
    assert not {name for name, member in members.items() if not member.isfile()}
    # not a second copy of the folders through the links
    assert not {name for name in members if name.startswith(("src/asymptopia/theory", "src/asymptopia/verify"))}
    made = ("docs/_build/", "build/", "dist/", "shared/")
    assert not {name for name in members if name.startswith(made) or "__pycache__" in name}
    assert {"LICENSE", "CITATION.cff", "CHANGELOG.md", "docs/conf.py", "theory/references.bib"} <= set(members)
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    tracked = {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert tracked - set(members) <= {".gitignore"}


@pytest.mark.slow
def test_the_wheel_has_the_package_and_nothing_else(built: Built) -> None:
    found = contents(built.wheel)
    information = {name for name in found if name.startswith(f"{INFO}/")}
    assert set(found) - information == modules_of_the_tree() | DATA
    assert {name.removeprefix(f"{INFO}/") for name in information} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    }
    assert found[f"{INFO}/top_level.txt"].split() == [b"asymptopia"]
    assert b"py3-none-any" in found[f"{INFO}/WHEEL"]
    points = configparser.ConfigParser()
    points.read_string(found[f"{INFO}/entry_points.txt"].decode())
    assert {name: dict(points[name]) for name in points.sections()} == {
        "console_scripts": {"asymptopia": "asymptopia.__main__:main"}
    }
    metadata = message_from_bytes(found[f"{INFO}/METADATA"])
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"


@pytest.mark.slow
def test_the_sdist_and_the_tree_make_the_same_wheel(built: Built) -> None:
    first, second = contents(built.wheel), contents(built.wheel_of_tree)
    assert set(first) == set(second)
    assert not [name for name, data in first.items() if second[name] != data]


def environment(folder: Path) -> Path:
    """Make an environment with the dependencies of this one and nothing else; return its Python.

    A path file adds the folder of installed packages. Path files *in* that folder are not read, so that an editable
    installation of the project, which is one, is not there.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    paths = sysconfig.get_paths()
    (site / "dependencies.pth").write_text(f"{paths['purelib']}\n{paths['platlib']}\n", encoding="utf-8")
    return folder / "bin" / "python"


def pip(python: Path, *arguments: str | Path) -> None:
    """Run this environment's pip for another environment."""
    command = [sys.executable, "-m", "pip", "--python", python, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_installs_runs_and_leaves_nothing(kind: str, built: Built, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    before = set(site.iterdir())
    pip(python, "install", "--no-index", "--no-deps", "--no-build-isolation", getattr(built, kind))
    assert {path.name for path in set(site.iterdir()) - before} == {"asymptopia", INFO}

    def output(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    place = output(python, "-c", "import asymptopia.theory, asymptopia.verify as v; print(v.__file__)")
    assert Path(place.strip()) == site / "asymptopia" / "verify" / "__init__.py"
    program = python.with_name("asymptopia")
    assert asymptopia.__version__ in output(program, "--version")
    assert "@misc{sudjianto2025" in output(program, "cite", "scorecard")
    if kind == "wheel":
        assert "rate_marriage" in output(program, "iv", "--dataset", "fair")
    pip(python, "uninstall", "--yes", "asymptopia")
    # modules compiled after the installation are not left behind either
    assert set(site.iterdir()) == before
