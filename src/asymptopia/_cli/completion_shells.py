"""The scripts of ``asymptopia completion``: plain shell functions that start no Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from shlex import quote

from asymptopia._cli.completion import Grammar, Slot

PROGRAM = "asymptopia"


def bash(root: Grammar, place: str) -> str:
    """Return the script for bash, from version 3.2."""
    body = [
        *_head("bash", place),
        "_asymptopia_files() {",
        "    local IFS=$'\\n'",
        '    COMPREPLY=($(compgen "$1" -- "$current"))',
        "    # of bash 4: folders get a slash, blanks are quoted",
        "    compopt -o filenames 2>/dev/null",
        "}",
        "",
        "_asymptopia() {",
        '    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" where="" i',
        "    COMPREPLY=()",
        "    # bash takes --option=value for three words",
        '    if [[ $current == "=" ]]; then',
        '        current=""',
        '    elif [[ $previous == "=" ]]; then',
        '        previous="${COMP_WORDS[COMP_CWORD-2]}"',
        "    fi",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "$where ${COMP_WORDS[i]}" in',
        f'            {_paths(root)}) where="$where ${{COMP_WORDS[i]}}" ;;',
        "        esac",
        "    done",
        '    case "$where $previous" in',
    ]
    body += [f"        {keys}) {does}; return ;;" for does, keys in _values(root, _bash)]
    body += ["    esac", '    case "$where" in']
    for command in root.walk():
        body += [
            f"        {quote(_key(command))})",
            "            if [[ $current == -* ]]; then",
            f"                {_bash(_option_words(command))}",
            "            else",
            f"                {_bash(_slot(command))}",
            "            fi",
            "            ;;",
        ]
    body += ["    esac", "}", "", f"complete -F _asymptopia {PROGRAM}"]
    return "\n".join(body) + "\n"


def zsh(root: Grammar, place: str) -> str:
    """Return the script for zsh."""
    body = [
        f"#compdef {PROGRAM}",
        *_head("zsh", place),
        "_asymptopia() {",
        '    local previous="${words[CURRENT-1]}" where="" i',
        "    local -a found",
        '    if [[ "${words[CURRENT]}" == --*=* ]]; then',
        '        previous="${words[CURRENT]%%=*}"',
        "        compset -P '*='",
        "    fi",
        "    for ((i = 2; i < CURRENT; i++)); do",
        '        case "$where ${words[i]}" in',
        f'            ({_paths(root)}) where="$where ${{words[i]}}" ;;',
        "        esac",
        "    done",
        '    case "$where $previous" in',
    ]
    body += [f"        ({keys}) {does}; return ;;" for does, keys in _values(root, _zsh)]
    body += ["    esac", '    case "$where" in']
    for command in root.walk():
        body += [
            f"        ({quote(_key(command))})",
            '            if [[ "${words[CURRENT]}" == -* ]]; then',
            f"                found=({_described((name, o.text) for o in command.options for name in o.names)})",
            "                _describe -o option found",
            "            else",
            f"                {_zsh_rest(command)}",
            "            fi",
            "            ;;",
        ]
    body += [
        "    esac",
        "}",
        "",
        "# read from fpath it completes, read by source it registers",
        'if [[ "${funcstack[1]}" == _asymptopia ]]; then',
        '    _asymptopia "$@"',
        "else",
        f"    compdef _asymptopia {PROGRAM}",
        "fi",
    ]
    return "\n".join(body) + "\n"


def fish(root: Grammar, place: str) -> str:
    """Return the script for fish."""
    body = [
        *_head("fish", place),
        "# not __fish_seen_subcommand_from: some results have the names of commands",
        "function __asymptopia_at -d 'the words after the program begin with these'",
        "    set -l given (commandline -opc)",
        "    set -e given[1]",
        "    test (count $given) -ge (count $argv); or return 1",
        "    for i in (seq (count $argv))",
        '        test "$given[$i]" = "$argv[$i]"; or return 1',
        "    end",
        "end",
        "",
        f"complete -c {PROGRAM} -f",
    ]
    for command in root.walk():
        where = _fish_condition(command)
        start = f"complete -c {PROGRAM} -n {_fish_quote(where)}"
        body += [f"{start} -a {child.path[-1]} -d {_fish_quote(child.text)}" for child in command.actions]
        if not command.actions and command.slot is not None and command.slot.kind != "text":
            body.append(start + _fish_values(command.slot))
        for option in command.options:
            names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
            value = "" if option.slot is None else f" -r{_fish_values(option.slot)}"
            body.append(f"{start}{names}{value} -d {_fish_quote(option.text)}")
    return "\n".join(body) + "\n"


def _head(shell: str, place: str) -> list[str]:
    return [f"# completion of {PROGRAM} in {shell}, made by: {PROGRAM} completion {shell} > {place}", ""]


def _key(command: Grammar) -> str:
    return "".join(f" {word}" for word in command.path)


def _paths(root: Grammar) -> str:
    return "|".join(quote(_key(command)) for command in root.walk() if command.path)


def _values(root: Grammar, shown: Callable[[Slot], str]) -> Iterable[tuple[str, str]]:
    """Return what completes the values of options, and after which words it does."""
    after: dict[str, list[str]] = {}
    for command in root.walk():
        for option in command.options:
            if option.slot is not None:
                keys = (quote(f"{_key(command)} {name}") for name in option.names)
                after.setdefault(shown(option.slot), []).extend(keys)
    return ((does, "|".join(keys)) for does, keys in after.items())


def _slot(command: Grammar) -> Slot | None:
    if command.actions:
        return Slot(kind="words", words=tuple(child.path[-1] for child in command.actions))
    return command.slot


def _option_words(command: Grammar) -> Slot:
    return Slot(kind="words", words=tuple(name for option in command.options for name in option.names))


def _bash(slot: Slot | None) -> str:
    if slot is None or slot.kind == "text":
        return ":"
    if slot.kind == "words":
        return f'COMPREPLY=($(compgen -W {quote(" ".join(slot.words))} -- "$current"))'
    return f"_asymptopia_files {'-f' if slot.kind == 'file' else '-d'}"


def _zsh(slot: Slot | None) -> str:
    if slot is None or slot.kind == "text":
        return "_message value"
    if slot.kind == "words":
        return f"compadd -- {' '.join(map(quote, slot.words))}"
    return "_files" if slot.kind == "file" else "_files -/"


def _zsh_rest(command: Grammar) -> str:
    if command.actions:
        pairs = _described((child.path[-1], child.text) for child in command.actions)
        return f"found=({pairs}); _describe command found"
    return "_message 'no more arguments'" if command.slot is None else _zsh(command.slot)


def _described(pairs: Iterable[tuple[str, str]]) -> str:
    # a colon ends the word
    return " ".join(quote(f"{word}:{text}") for word, text in pairs)


def _fish_condition(command: Grammar) -> str:
    seen = [f"__asymptopia_at {' '.join(command.path)}"] if command.path else []
    if command.actions:
        words = " ".join(child.path[-1] for child in command.actions)
        seen.append(f"not __fish_seen_subcommand_from {words}")
    return "; and ".join(seen)


def _fish_values(slot: Slot) -> str:
    if slot.kind == "words":
        return f" -f -a {_fish_quote(' '.join(slot.words))}"
    if slot.kind == "file":
        return " -F"
    return " -f -a '(__fish_complete_directories)'" if slot.kind == "folder" else " -f"


def _fish_quote(text: str) -> str:
    # in fish a single quote inside single quotes is escaped by a backslash
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
