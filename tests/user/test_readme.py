"""The README: its blocks run and print what it says; its commands are those that CI runs."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from asymptopia._cli import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL) for line in block.splitlines()]


def test_python_blocks_print_what_they_say() -> None:
    assert len(PYTHON) >= 4
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    names: dict[str, object] = {}
    for number, block in enumerate(PYTHON):
        example = parser.get_doctest(block, names, f"README block {number + 1}", "README.md", 0)
        assert example.examples
        runner.run(example, clear_globs=False)
        names |= example.globs
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("asymptopia ")])
def test_commands_named_exist_with_these_options(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse
    from importlib import import_module

    words = shlex.split(line, comments=True)[1:]
    assert words[0] in COMMANDS
    parser = argparse.ArgumentParser()
    import_module(COMMANDS[words[0]][0]).configure(parser)
    parser.parse_args(words[1:])


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "test command" in script
    found = re.search(r"<!-- test command -->\n```sh\n(.*?)\n```\n<!-- end -->", README, flags=re.DOTALL)
    assert found is not None
    assert "pytest" in found[1]
    assert "\n" not in found[1]


def test_figures_and_pages_it_links_to_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target
