"""What shells need to complete command lines, made of the commands and the models."""

import contextlib
import dataclasses
import importlib
import io
import re
import shlex

from opalux.base.command_line import settings_of
from opalux.base.errors import InputError
from opalux.base.keys import walk
from opalux.base.shipped import CONFIGS
from opalux.jobs.starting.commands import JOBS
from opalux.jobs.starting.models import FILES, MODELS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """What may follow the name of a command.

    Attributes
    ----------
    name, meaning : as ``opalux --help`` has them
    options : with their two dashes
    names : of configurations, or of what else its first argument may be
    keys : that ``--set`` may name
    """

    name: str
    meaning: str
    options: tuple[str, ...]
    names: tuple[str, ...]
    keys: tuple[str, ...]


def script(shell: str) -> str:
    """Return the completion script of bash, zsh or fish."""
    commands = [_command(name, meaning) for name, meaning in JOBS.items()]
    if shell == "fish":
        return _fish(commands)
    loads = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return loads + _bash(commands)


def _command(name: str, meaning: str) -> Command:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        importlib.import_module(f"opalux.jobs.{name}").main(["--help"])
    options = re.findall(r"^ +(?:-h, )?(--[a-z-]+)", said.getvalue(), re.MULTILINE)
    shipped = sorted(path.stem for path in (CONFIGS / name).glob("*.yaml"))
    return Command(
        name=name,
        meaning=meaning,
        options=tuple(dict.fromkeys(options)),
        names=tuple(FILES) if name == "init" else tuple(shipped),
        keys=_keys(name) if "--set" in options else (),
    )


def _keys(name: str) -> tuple[str, ...]:
    """Return the keys of a command that have one name; nothing where a library is missing."""
    if name not in MODELS:
        return ()
    try:
        keys = [key.path for key in walk(settings_of(MODELS[name])) if not key.groups]
    except InputError:
        return ()
    return tuple(dict.fromkeys(key for key in keys if not re.search(r"\.(N|NAME)\b", key)))


def _bash(commands: list[Command]) -> str:
    names = " ".join(command.name for command in commands)
    cases = []
    for command in commands:
        words = shlex.quote(" ".join([*command.options, *command.names]))
        keys = shlex.quote(" ".join(f"{key}=" for key in command.keys))
        cases.append(f"        {command.name}) words={words}; keys={keys} ;;")
    return "\n".join(
        [
            "# Completion of opalux.",
            "_opalux() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
            "    local words keys",
            "    COMPREPLY=()",
            "    if [ $COMP_CWORD -eq 1 ]; then",
            f'        COMPREPLY=($(compgen -W "{names} --help --version" -- "$current"))',
            "        return",
            "    fi",
            "    case ${COMP_WORDS[1]} in",
            *cases,
            "    esac",
            '    if [ "$before" = --set ]; then',
            "        compopt -o nospace 2> /dev/null",
            '        COMPREPLY=($(compgen -W "$keys" -- "$current"))',
            "        return",
            "    fi",
            '    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))',
            "}",
            "complete -o filenames -F _opalux opalux",
            "",
        ]
    )


def _fish(commands: list[Command]) -> str:
    lines = ["# Completion of opalux."]
    for command in commands:
        first = f"complete -c opalux -n __fish_use_subcommand -a {command.name}"
        lines.append(f"{first} -d {shlex.quote(command.meaning)}")
        here = f"complete -c opalux -n '__fish_seen_subcommand_from {command.name}'"
        for option in command.options:
            given = ""
            if option == "--set" and command.keys:
                given = f" -x -a {shlex.quote(' '.join(f'{key}=' for key in command.keys))}"
            lines.append(f"{here} -l {option[2:]}{given}")
        if command.names:
            lines.append(f"{here} -a {shlex.quote(' '.join(command.names))}")
    return "\n".join(lines) + "\n"
