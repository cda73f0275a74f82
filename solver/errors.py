"""The one error that means "the input is wrong", as opposed to "the program is"."""


class InputError(ValueError):
    """Input the solver cannot work with.

    The message says what was found, what was expected and what to do; jobs print it alone (no
    traceback) and end with exit code 2.
    """
