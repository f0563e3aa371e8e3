"""``asymptopia completion``: a script that lets the shell complete commands, options and their values."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from asymptopia._cli import COMMANDS

WAYS = {
    "bash": "~/.local/share/bash-completion/completions/asymptopia",
    "zsh": '"${fpath[1]}/_asymptopia"',
    "fish": "~/.config/fish/completions/asymptopia.fish",
}
"""Where each shell looks for the script."""
FILES = {"FILE", "CSV", "REFERENCE_CSV", "CURRENT_CSV", "NPZ", "REPORT_JSON"}
FOLDERS = {"FOLDER"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What may stand in one place: one of some words, a file, a folder, or (`kind` text) what nobody can foresee."""

    kind: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a command; without a slot it takes no value."""

    names: tuple[str, ...]
    text: str
    slot: Slot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """One command: the words that lead to it, its options, and what else it takes."""

    path: tuple[str, ...]
    text: str
    options: tuple[Option, ...]
    slot: Slot | None
    actions: tuple[Grammar, ...]

    def walk(self) -> Iterator[Grammar]:
        """Yield this command and those below it."""
        yield self
        for action in self.actions:
            yield from action.walk()


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("shell", choices=tuple(WAYS), help="shell that the script is for")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = "\n".join(f"  asymptopia completion {shell} > {place}" for shell, place in WAYS.items())
    parser.epilog = f"to install it, once for each version:\n{lines}"


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    from asymptopia._cli import completion_shells

    sys.stdout.write(getattr(completion_shells, options.shell)(grammar(), WAYS[options.shell]))
    return 0


def grammar() -> Grammar:
    """Return what the command line takes, from the parsers of the commands."""
    parser = argparse.ArgumentParser(prog="asymptopia", allow_abbrev=False)
    parser.add_argument("--version", action="version", version="", help="show the version and exit")
    commands = parser.add_subparsers()
    for name, (target, text) in COMMANDS.items():
        import_module(target).configure(commands.add_parser(name, help=text, allow_abbrev=False))
    return _read(parser, (), "", _names())


def _names() -> dict[str, tuple[str, ...]]:
    """Return the words for arguments whose values the registry knows."""
    from asymptopia.theory._core.registry import claims
    from asymptopia.verify.checks import RESULTS

    found = claims()
    groups = tuple(dict.fromkeys(claim.result for claim in found))
    named = tuple(claim.id for claim in found)
    # of the claims: the modules of the checks need not be loaded; a claim and a check may have one name
    checks = dict.fromkeys((*RESULTS, *(name for claim in found for name in claim.checks), *named))
    return {"verify checks": tuple(checks), "cite name": (*groups, *named), "list result": groups}


def _read(
    parser: argparse.ArgumentParser, path: tuple[str, ...], text: str, names: dict[str, tuple[str, ...]]
) -> Grammar:
    options: list[Option] = []
    actions: list[Grammar] = []
    slot: Slot | None = None
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, child in action.choices.items():
                actions.append(_read(child, (*path, name), about.get(name, ""), names))
        elif action.option_strings:
            value = None if action.nargs == 0 else _slot(action)
            options.append(Option(names=tuple(action.option_strings), text=_line(action.help), slot=value))
        elif slot is None:
            # a later argument of the same command is of the same kind, or free text
            words = names.get(f"{' '.join(path)} {action.dest}")
            slot = _slot(action) if words is None else Slot(kind="words", words=words)
    return Grammar(path=path, text=_line(text), options=tuple(options), slot=slot, actions=tuple(actions))


def _slot(action: argparse.Action) -> Slot:
    if action.choices is not None:
        return Slot(kind="words", words=tuple(map(str, action.choices)))
    name = action.metavar if isinstance(action.metavar, str) else ""
    return Slot(kind="file" if name in FILES else "folder" if name in FOLDERS else "text")


def _line(text: str | None) -> str:
    return (text or "").replace("%%", "%").partition(";")[0].partition(" (-")[0]
