"""What users of the scientific Python ecosystem take for granted: imports, ``rng``, frames, logs, exit codes, files."""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import importlib
import inspect
import logging
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import asymptopia
from asymptopia import theory, verify
from asymptopia._cli import COMMANDS, main
from asymptopia._cli.completion import Grammar, grammar
from asymptopia.theory import alignment, kde, projection, scaling, scorecard
from asymptopia.theory._core.registry import claims, results

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("theory", "verify", "src/asymptopia") for path in (ROOT / folder).rglob("*.py")]
PACKAGES = [
    f"asymptopia.theory.{path.parent.relative_to(ROOT / 'theory').as_posix().replace('/', '.')}"
    for path in sorted((ROOT / "theory").rglob("*/__init__.py"))
]


# --- imports (SPEC 1) ---


def test_a_bare_import_takes_no_time() -> None:
    code = "import time; t = time.perf_counter(); import asymptopia; print(time.perf_counter() - t)"
    taken = [float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)]
    for _ in range(3):
        if min(taken) > 0.3:  # another process had the processor
            time.sleep(0.5)
            taken.append(float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))
    assert min(taken) <= 0.3


def test_no_package_loads_what_only_some_calls_need() -> None:
    assert {f"asymptopia.theory.{name}" for name in theory.__all__} <= set(PACKAGES)
    code = (
        "import sys\nfrom importlib import import_module\n"
        "heavy = {'numba', 'sympy', 'mpmath', 'scipy', 'statsmodels', 'matplotlib', 'pandas', 'polars', 'narwhals',\n"
        "         'sklearn', 'rich', 'tqdm', 'IPython', 'asymptopia.verify'}\n"
        f"for name in {PACKAGES!r}:\n"
        "    import_module(name)\n"
        "    assert not heavy & sys.modules.keys(), (name, heavy & sys.modules.keys())\n"
        # fetching the public functions, too, loads neither figures nor frames; the encoder is scikit-learn's
        "for name in sys.argv[1:]:\n"
        "    package = import_module(f'asymptopia.theory.{name}')\n"
        "    for public in package.__all__:\n"
        "        if public != 'WoEEncoder':\n"
        "            getattr(package, public)\n"
        "    found = (heavy - {'scipy'}) & sys.modules.keys()\n"
        "    assert not found, (name, found)\n"
    )
    subprocess.run([sys.executable, "-c", code, *theory.__all__], check=True)


# --- randomness (SPEC 7) ---

HELD = {
    "SampledFamily": "a field: the integer that makes the family a value, equal and repeatable",
    "QuadraticExponential": "the same",
    "quadratic_exponential": "makes a QuadraticExponential, whose field it is",
    "Report": "a field: what the run was started from",
    "Report.of": "makes a Report",
}
"""Where an argument is a seed and no `rng`, and why."""


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public function, class and method with its name."""
    for package in (*(getattr(theory, name) for name in theory.__all__), verify):
        for name in package.__all__:
            item = getattr(package, name)
            if inspect.isclass(item):
                for method, found in inspect.getmembers(item, callable):
                    if not method.startswith("_"):
                        yield f"{name}.{method}", found
            if callable(item):
                yield name, item


@cache
def signatures() -> dict[str, inspect.Signature]:
    found = {}
    for name, item in public():
        try:
            found[name] = inspect.signature(item)
        except ValueError:  # a method of a builtin
            continue
    return found


def test_randomness_is_asked_for_by_rng() -> None:
    foreign = {"seed", "random_state", "random_seed", "rand", "prng", "generator", "random"}
    found = {name for name, signature in signatures().items() if foreign & signature.parameters.keys()}
    assert found == set(HELD)


def test_rng_is_annotated_alike() -> None:
    found = {name: item.parameters["rng"] for name, item in signatures().items() if "rng" in item.parameters}
    assert len(found) >= 25
    for name, parameter in found.items():
        assert parameter.annotation == "RNG", name
        # None draws fresh entropy; the data sets and the checks are the same every time
        assert parameter.default is None or parameter.default == 0, name


RANDOM: dict[str, Callable[[Any], Any]] = {
    "bon_curve": lambda rng: alignment.bon_curve(np.arange(60.0).reshape(12, 5) % 7, n=[2], rng=rng),
    "bootstrap": lambda rng: projection.bootstrap_criterion(
        np.arange(1.0, 41.0), projection.Exponential(), repeats=20, rng=rng
    ),
    "homogeneity": lambda rng: scorecard.homogeneity_test(
        [8, 3, 1], [2, 4, 6], method="monte-carlo", repeats=199, rng=rng
    ),
    "posterior": lambda rng: scorecard.posterior_sample([8, 3, 1], [2, 4, 6], size=3, rng=rng),
    "sample": lambda rng: projection.Gamma().sample(projection.Gamma().natural(shape=2.0, rate=1.0), 3, rng),
    "simulate": lambda rng: scaling.simulate(scaling.ScalingLaw.from_name("hoffmann2022"), 1e9, 1e10, sigma=1, rng=rng),
    "simulate_rewards": lambda rng: alignment.simulate_rewards(2, 2, rng=rng)["reward"],
}


@pytest.mark.parametrize("name", RANDOM)
def test_every_meaning_of_rng_is_taken(name: str) -> None:
    draw = RANDOM[name]
    first, again = (repr(draw(7)) for _ in range(2))
    assert first == again
    assert repr(draw(np.int64(7))) == first
    assert repr(draw(np.random.SeedSequence(7))) == first
    for make in (np.random.default_rng, np.random.PCG64DXSM):
        assert repr(draw(make(7))) == repr(draw(make(7)))
    draw(None)
    for bad in (np.random.RandomState(0), "7", 1.5):
        with pytest.raises(TypeError, match="rng is a"):
            draw(bad)


# --- data frames ---

AGES, HOMES = [23, 31, 45, 52, 38, 61, 29, 44], list("aabbabab")
POINTS = np.random.default_rng(0).standard_normal((60, 3))
RUNS = scaling.isoflop_design(scaling.ScalingLaw(1.69, 406.4, 410.7, 0.34, 0.28), [1e18, 1e19, 1e20], 9, factor=8)
TABLES: dict[str, dict[str, Any]] = {
    "rewards": alignment.simulate_rewards(8, 4),
    "points": dict(zip("xyz", POINTS.T, strict=True)),
    "runs": {
        "N": RUNS.N,
        "D": RUNS.D,
        "loss": 1.69 + 406.4 / RUNS.N**0.34 + 410.7 / RUNS.D**0.28 + 1e-3 * np.sin(9.0 * np.arange(RUNS.N.size)),
    },
    "people": {"age": AGES, "home": HOMES, "bad": [1, 1, 0, 0, 1, 0, 0, 0]},
}
READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "bon_report": ("rewards", lambda frame: alignment.bon_report(frame, gold="gold", rng=0)),
    "kde_report": ("points", kde.kde_report),
    "family_from_frame": ("points", lambda frame: [*map(repr, projection.family_from_frame(frame))]),
    "pn_report": ("points", lambda frame: projection.pn_report(frame, "normal", columns=["x"])),
    "scaling_report": ("runs", lambda frame: scaling.scaling_report(frame, compute=1e22, bootstrap=0, rng=0)),
    "iv_screen_frame": ("people", lambda frame: scorecard.iv_screen_frame(frame, "bad", bins=2)),
    "psi_screen_frame": (
        "people",
        lambda frame: scorecard.psi_screen_frame(frame, frame, columns=["age", "home"], bins=2),
    ),
}


def test_every_reader_of_frames_is_tried() -> None:
    arrays = {"radius_report"}  # takes logits and slopes: samples times classes is no table
    found = {name for name in signatures() if name.endswith(("_report", "_frame")) and "." not in name}
    assert found - arrays == set(READERS)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("name", READERS)
def test_frames_of_any_library_give_one_result(name: str, library: str) -> None:
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    table, read = READERS[name]
    columns = TABLES[table]
    frame = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
    assert read(frame) == read(columns)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_results_become_frames_of_any_library(library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    found = scorecard.woe_table([139, 49, 164], [135, 14, 105]).to_frame(library)
    assert type(found).__module__.partition(".")[0] == library
    assert found.shape[0] == 3


# --- logs ---


def test_the_library_prints_nothing() -> None:
    allowed = ROOT / "src" / "asymptopia" / "_cli"  # the command line speaks to its user
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if "print(" not in text or path.is_relative_to(allowed):
            continue
        calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"], path


def test_loggers_have_the_names_of_their_modules() -> None:
    found = {
        path: re.findall(r"getLogger\((.*?)\)", path.read_text(encoding="utf-8"))
        for path in SOURCES
        if "getLogger" in path.read_text(encoding="utf-8")
    }
    assert found
    assert {name for names in found.values() for name in names} == {"__name__"}
    assert not logging.getLogger("asymptopia").handlers
    # a library leaves the root logger alone
    assert not [path for path in SOURCES if "basicConfig" in path.read_text(encoding="utf-8")]


# --- the command line ---

NO_DATA = {
    "report": "reads a report in JSON and renders it as something else",
    "warmup": "compiles; there is nothing to read",
    "cite": "prints BibTeX, which programs read",
    "selftest": "its answer is the exit status",
    "completion": "prints a script",
    "explore": "opens a page",
}
"""Commands without ``--json``, and why."""


@cache
def leaves() -> tuple[Grammar, ...]:
    return tuple(command for command in grammar().walk() if command.path and not command.actions)


def test_every_command_with_numbers_writes_json() -> None:
    without = {
        " ".join(command.path)
        for command in leaves()
        if "--json" not in {name for option in command.options for name in option.names}
    }
    assert without <= set(NO_DATA)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_exit_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main([name, "--nonsense"])
    assert error.value.code == 2
    assert "usage: asymptopia" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main([name, "--help"])
    assert error.value.code == 0
    assert f"usage: asymptopia {name}" in capsys.readouterr().out
    for command in leaves():
        if command.path[0] == name:
            assert all(option.text for option in command.options), command.path


def test_options_are_not_abbreviated() -> None:
    for target, _ in COMMANDS.values():
        parser = argparse.ArgumentParser(allow_abbrev=False)
        importlib.import_module(target).configure(parser)
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                assert not any(child.allow_abbrev for child in action.choices.values()), target


@pytest.mark.parametrize("result", results())
def test_cite_gives_the_sources_of_a_result(result: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", result]) == 0
    out = capsys.readouterr().out
    keys = re.findall(r"^@\w+\{([^,]+),", out, flags=re.MULTILINE)
    assert set(keys) == {source.key for claim in claims(result) for source in claim.sources}
    assert len(keys) == len(set(keys))


# --- files ---


def test_the_citation_file_is_valid_and_current() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    # the file uses one level of YAML: scalars, and lists of scalars or of names
    data = dict(re.findall(r"^([a-z-]+): (.+)$", text, flags=re.MULTILINE))
    lists = {
        key: re.findall(r"^ +- (?:name: )?(.+)$", body, flags=re.MULTILINE)
        for key, body in re.findall(r"^([a-z-]+):\n((?: +- .+\n)+)", text, flags=re.MULTILINE)
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # what the schema of the Citation File Format requires, and the types it gives
    assert {"cff-version", "message", "title"} <= data.keys()
    assert data["cff-version"] == "1.2.0"
    assert data["type"] == "software"
    assert data["version"] == asymptopia.__version__ == project["version"]
    assert data["license"] == project["license"]
    assert dt.date.fromisoformat(data["date-released"]) >= dt.date(2026, 1, 1)
    assert data["abstract"] == project["description"]
    assert lists["authors"] == [author["name"] for author in project["authors"]]
    assert len(set(lists["keywords"])) == len(lists["keywords"])


def test_the_changelog_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert heads[0] == "Unreleased" or heads[0].startswith(asymptopia.__version__)
    assert set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE)) <= {
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }
