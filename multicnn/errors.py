"""What can go wrong, told in one line, with the exit status that the shell sees."""

import sys
from collections.abc import Iterable
from difflib import get_close_matches


class MulticnnError(Exception):
    """It failed while running: one line that says what and what to do (exit status 1)."""

    status = 1


class UsageError(MulticnnError):
    """The command line, the recipe or the data's layout is wrong; nothing was started (exit status 2)."""

    status = 2


class InputError(MulticnnError):
    """One input cannot be used; the others go on (exit status 3 at the end)."""

    status = 3


def tell(line: str) -> None:
    """Tells on standard error what the user should know though nothing went wrong."""
    print(f"multicnn: {line}", file=sys.stderr, flush=True)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The tail of an error message: `; did you mean X?`, or nothing where nothing is near.

    Args:
        word: what was written.
        choices: what would have been right.
    """
    near = get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
