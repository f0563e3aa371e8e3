"""Shell completion: what bash offers after some words; that the other scripts name the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from asymptopia._cli import COMMANDS, main
from asymptopia._cli.completion import WAYS, Grammar, grammar

ENTRY = ("asymptopia._cli.completion", "print a script that completes commands and options")


@cache
def root() -> Grammar:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(COMMANDS, "completion", ENTRY)
        return grammar()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the three scripts lie, beside a few files."""
    place = tmp_path_factory.mktemp("completion")
    code = (
        "import contextlib, io, pathlib, sys\n"
        "from asymptopia import _cli\n"
        f"_cli.COMMANDS['completion'] = {ENTRY!r}\n"
        f"for shell in {tuple(WAYS)!r}:\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as text:\n"
        "        assert _cli.main(['completion', shell]) == 0\n"
        "    pathlib.Path(sys.argv[1], shell).write_text(text.getvalue(), encoding='utf-8')\n"
        "heavy = {'numba', 'sympy', 'scipy', 'matplotlib', 'pandas', 'statsmodels', 'rich'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(place)], check=True)
    (place / "table of wines.csv").touch()
    (place / "results").mkdir()
    return place


CASES = {
    "": "verify",
    "ver": "verify",
    "verify --pro": "--profile",
    "verify --profile ": "quick standard exhaustive",
    "verify --profile = ex": "exhaustive",
    "verify --profile =": "quick standard exhaustive",
    "verify --ledger res": "results",
    "verify scorecard.snc_cov": "scorecard.snc_coverage",
    "verify --seed ": "",
    "cite kd": "kde",
    "cite kde --": "--help",
    "list soft": "softmax",
    "iv table": "table of wines.csv",
    "iv --trend a": "auto ascending",
    "psi --adjust=": "",
    "scaling ": "fit bias",
    "scaling fit --obj": "--objective",
    "completion ": "bash zsh fish",
    "warmup x": "",
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_offers_what_may_follow(folder: Path) -> None:
    lines = ["source ./bash"]
    for words in CASES:
        given = ["asymptopia", *words.split(" ")]
        lines += [
            f"COMP_WORDS=({' '.join(repr(word) for word in given)}); COMP_CWORD={len(given) - 1}; _asymptopia",
            "printf '%s\\n' '#' \"${COMPREPLY[@]}\"",
        ]
    command = ["bash", "--norc", "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, timeout=60)
    assert not done.stderr
    blocks = [[line for line in block.splitlines() if line] for block in done.stdout.split("#\n")[1:]]
    found = dict(zip(CASES, blocks, strict=True))
    assert set(found[""]) == {*COMMANDS, "completion"}
    for words, expected in CASES.items():
        if words == "iv table":
            assert found[words] == [expected]
        elif expected and (" " in expected or expected.startswith("-")):
            assert found[words] == expected.split(), words
        elif expected:
            assert expected in found[words], words
        else:
            assert not found[words], words


def test_every_command_and_option_is_in_every_script(folder: Path) -> None:
    commands = list(root().walk())
    assert {command.path[0] for command in commands if command.path} == {*COMMANDS, "completion"}
    assert ("scaling", "fit") in {command.path for command in commands}
    for shell in WAYS:
        text = (folder / shell).read_text(encoding="utf-8")
        for command in commands:
            assert not command.path or re.search(rf"\b{command.path[-1]}\b", text), (shell, command.path)
            for name in (name for option in command.options for name in option.names if name.startswith("--")):
                assert (f"-l {name[2:]} " if shell == "fish" else name) in text, (shell, command.path, name)


@pytest.mark.parametrize(("shell", "switch"), [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")])
def test_the_shell_can_read_its_script(shell: str, switch: str, folder: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    done = subprocess.run([shell, switch, str(folder / shell)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_shell_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(COMMANDS, "completion", ENTRY)
    with pytest.raises(SystemExit) as error:
        main(["completion", "tcsh"])
    assert error.value.code == 2
    assert "choose from" in capsys.readouterr().err
