"""``opalux completion SHELL``: jobs, options, configurations and keys at the press of Tab."""

import argparse
import sys

from opalux.base import command_line
from opalux.base.exit_codes import OK

DESCRIPTION = """\
Print what a shell needs to complete command lines: jobs, options, the names of
configurations, and behind --set the keys.

  opalux completion bash > ~/.local/share/bash-completion/completions/opalux
  opalux completion zsh  > ~/.opalux.zsh     and in ~/.zshrc: source ~/.opalux.zsh
  opalux completion fish > ~/.config/fish/completions/opalux.fish"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = argparse.ArgumentParser(
        prog="opalux completion",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _completion(parsed.shell))


def _completion(shell: str) -> int:
    from opalux.jobs.starting.completion import script

    print(script(shell), end="")
    return OK


if __name__ == "__main__":
    sys.exit(main())
