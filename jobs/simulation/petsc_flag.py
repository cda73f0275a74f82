"""``--petsc``: options of PETSc, which begin with one dash, among ours, which begin with two."""

import argparse

FLAG = "--petsc"


def add_petsc(parser: argparse.ArgumentParser) -> None:
    """Let a job's parser know the flag; its command line goes through `gathered` first."""
    parser.add_argument(
        FLAG,
        metavar="OPTIONS",
        default="",
        help="options of PETSc for implicit steps, such as -ksp_type cg: all up to the next word "
        "with two dashes, or one word in quotes; they come after those of time.petsc, and win",
    )


def gathered(argv: list[str]) -> list[str]:
    """Return a command line in which what follows the flag is one word with it.

    >>> gathered(["marshak", "--petsc", "-ksp_type", "cg", "-pc_type", "gamg", "--resume"])
    ['marshak', '--petsc=-ksp_type cg -pc_type gamg', '--resume']
    >>> gathered(["--petsc", "-ksp_type cg", "marshak"])
    ['--petsc=-ksp_type cg', 'marshak']
    """
    made, rest = [], list(argv)
    while rest:
        word = rest.pop(0)
        if word == FLAG:
            options: list[str] = []
            while rest and not rest[0].startswith("--") and " " not in "".join(options[:1]):
                options.append(rest.pop(0))
            word = f"{FLAG}={' '.join(options)}" if options else FLAG
        made.append(word)
    return made
