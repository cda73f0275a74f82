"""What all command lines share: common arguments, and errors that become exit codes."""

import argparse
import contextlib
import dataclasses
import importlib
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from opalux.base import compilation
from opalux.base.answers import Answer, quiet
from opalux.base.config import apply_overrides, check
from opalux.base.errors import InputError, OpaluxError, in_words
from opalux.base.exit_codes import FAILURE, OK
from opalux.base.messages import on_standard_error
from opalux.base.settings import Settings
from opalux.base.shipped import find_config
from opalux.base.streams import output_was_lost, protect

Model = TypeVar("Model", bound=Settings)

_OVERRIDE = re.compile(r"[A-Za-z_][\w.]*=")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments:
    """The arguments that all jobs take.

    Attributes
    ----------
    config : configuration file
    overrides : ``a.b=value`` settings
    out : folder for the results, or None for the job's default
    resume : continue with the results in ``out``
    force : delete the results in ``out`` first
    dry_run : check everything, print the plan, write nothing
    """

    config: Path
    overrides: list[str]
    out: Path | None
    resume: bool
    force: bool
    dry_run: bool


def parser(
    prog: str,
    description: str,
    config_help: str = "YAML file that names the run, or name of one that comes with Opalux",
    config_name: str | None = "CONFIG",
    *,
    settings: str,
) -> argparse.ArgumentParser:
    """Return a parser with the common arguments; jobs may add their own.

    Parameters
    ----------
    prog, description : name of the job, and what it does
    config_help, config_name : of the first argument; None: the job has arguments of its own, and
        sets ``config``
    settings : the model of its configuration as ``module:name``, imported when it is asked about
    """
    made = _Parser(
        prog=f"opalux {prog}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.set_defaults(job=prog)
    if config_name is not None:
        made.add_argument("config", metavar=config_name, type=Path, help=config_help)
    made.add_argument(
        "--set",
        dest="overrides",
        metavar="a.b=VALUE",
        action="append",
        default=[],
        help="override keys of CONFIG (may be given several times)",
    )
    made.add_argument("--out", metavar="DIR", type=_folder, help="folder for the results")
    made.add_argument("--resume", action="store_true", help="continue the run in DIR")
    made.add_argument("--force", action="store_true", help="replace the results in DIR")
    made.add_argument(
        "--dry-run", action="store_true", help="check the input, print the plan, write nothing"
    )
    made.add_argument(
        "--keys",
        action=_Keys,
        settings=settings,
        help="list the keys of a configuration, or those below PREFIX, and end",
    )
    made.add_argument("--quiet", action="store_true", help="show only errors and warnings")
    made.add_argument(
        "--json", action="store_true", help="print one JSON object about the run, for scripts"
    )
    return made


class _Parser(argparse.ArgumentParser):
    """Takes ``--set a=1 b=2`` for ``--set a=1 --set b=2``, and still finds CONFIG after it."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does; `nargs="+"` would take CONFIG for an override."""
        given = list(sys.argv[1:] if args is None else args)
        spelled: list[str] = []
        in_set = False
        for word in given:
            override = _OVERRIDE.match(word) is not None
            if in_set and override and spelled[-1] != "--set":
                spelled.append("--set")
            in_set = word == "--set" or (in_set and override)
            spelled.append(word)
        return super().parse_known_args(spelled, namespace)


class _Keys(argparse.Action):
    """Lists the keys of a job's configuration and ends."""

    def __init__(self, option_strings: list[str], dest: str, settings: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs="?", metavar="PREFIX", help=help)
        self._settings = settings

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        def work() -> int:
            from opalux.base.key_list import key_list

            print(key_list(settings_of(self._settings), values or ""))
            return OK

        parser.exit(run(work))


def settings_of(name: str) -> type[Settings]:
    """Return the model that ``module:name`` names.

    Raises
    ------
    InputError
        When it needs a library that is not installed.
    """
    module, _, model = name.partition(":")
    try:
        found: type[Settings] = getattr(importlib.import_module(module), model)
    except ModuleNotFoundError as error:
        raise InputError(
            f"this needs {error.name}, which is not installed; see docs/install.md for the extras"
        ) from None
    return found


def count(text: str) -> int:
    """Return the whole number that an argument gives."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"found '{text}', expected a whole number")
    return int(text)


def _folder(text: str) -> Path:
    """Return the folder that ``--out`` names; an empty word is a slip of a script."""
    if not text.strip():
        raise argparse.ArgumentTypeError("found an empty name, expected a folder")
    return Path(text).expanduser()


def arguments(parsed: argparse.Namespace) -> Arguments:
    """Return the common arguments out of what argparse read.

    Raises
    ------
    InputError
        When they contradict each other, or CONFIG is no file and no name of a configuration.
    """
    if parsed.resume and parsed.force:
        raise InputError("--resume and --force exclude each other; give one of them")
    names = [field.name for field in dataclasses.fields(Arguments)]
    given = {name: getattr(parsed, name) for name in names}
    return Arguments(**given | {"config": find_config(parsed.job, parsed.config)})


def of_run(
    parsed: argparse.Namespace, settings: type[Model], *, checkpoints: bool = False
) -> tuple[Arguments, Model]:
    """Return the common arguments and the settings of a job whose input is a training run's folder.

    ``checkpoints`` : take a checkpoint in its place, too

    Raises
    ------
    InputError
        When there is no such folder, or ``settings`` does not accept one of the values.
    """
    given = arguments(parsed)
    checked = overridden(given, settings)
    if checkpoints and given.config.suffix == ".ckpt":
        return given, checked
    if not given.config.is_dir():
        raise InputError(f"{given.config}: no such folder; give the folder of a training run")
    return given, checked


def overridden(given: Arguments, settings: type[Model]) -> Model:
    """Return the settings of a job without a configuration file: defaults, and ``--set``.

    Raises
    ------
    InputError
        When ``settings`` does not accept one of the values.
    """
    overrides: dict[str, Any] = {}
    apply_overrides(overrides, given.overrides)
    return check(settings, overrides, source="--set", folder=Path.cwd())


def run(work: Callable[[], int], parsed: argparse.Namespace | None = None) -> int:
    """Do ``work`` and return its exit code; errors that a user can act on are one message.

    Parameters
    ----------
    work : returns the exit code
    parsed : the arguments, which may ask for ``--quiet`` or ``--json``
    """
    protect()
    answer = Answer(parsed.job) if parsed is not None and getattr(parsed, "json", False) else None
    with contextlib.ExitStack() as until_done:
        until_done.enter_context(quiet(getattr(parsed, "quiet", False)))
        if answer:
            until_done.enter_context(answer.instead())
        until_done.enter_context(on_standard_error())
        code = _run(work)
    if answer:
        answer.show(code)
    if code == OK and (reason := output_was_lost()):
        print(f"error: standard output: cannot be written ({reason})", file=sys.stderr)
        return FAILURE
    return code


def _run(work: Callable[[], int]) -> int:
    compilation.announce()
    try:
        return work()
    except (OpaluxError, OSError) as error:
        told = in_words(error)
        print(f"error: {told}", file=sys.stderr)
        return told.exit_code
    except KeyboardInterrupt:
        print("interrupted; give the same command with --resume to go on", file=sys.stderr)
        return 128 + signal.SIGINT
