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
# what a build of the site leaves behind is written from the registry, not by hand
BUILT = {"_build", "api", "claims", "notebooks"}
DOCS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "docs").rglob("*.md")
    if path.name == "index.md" or not BUILT.intersection(path.relative_to(ROOT).parts)
)
PAGES = ["README.md", *DOCS]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
PYTHON = {page: re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL) for page, text in TEXTS.items()}
SHELL = [
    line
    for text in TEXTS.values()
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("page", [page for page, blocks in PYTHON.items() if blocks])
def test_python_blocks_print_what_they_say(page: str) -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    names: dict[str, object] = {}
    for number, block in enumerate(PYTHON[page]):
        example = parser.get_doctest(block, names, f"{page} block {number + 1}", page, 0)
        assert example.examples
        # a kernel's source is read from its file: doctest lends the block's lines under this name
        runner.run(example, clear_globs=False)
        names |= example.globs
    assert runner.summarize(verbose=False).failed == 0


def test_there_are_blocks_to_run() -> None:
    assert len(PYTHON["README.md"]) >= 4


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("asymptopia ")])
def test_commands_named_exist_with_these_options(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse
    from importlib import import_module

    words = shlex.split(line, comments=True)[1:]
    assert words[0] in COMMANDS
    parser = argparse.ArgumentParser()
    import_module(COMMANDS[words[0]][0]).configure(parser)
    parser.parse_args(words[1:])  # an unknown option or a missing argument would exit


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "test command" in script
    found = re.search(r"<!-- test command -->\n```sh\n(.*?)\n```\n<!-- end -->", README, flags=re.DOTALL)
    assert found is not None
    assert "pytest" in found[1]
    assert "\n" not in found[1]


def test_figures_and_pages_it_links_to_are_there() -> None:
    for page, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert ((ROOT / page).parent / target).is_file(), f"{page}: {target}"
