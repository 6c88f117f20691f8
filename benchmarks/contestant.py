"""What a classifier of text.py that is a script of its own obeys. It imports nothing that other environments lack."""

import sys
from collections.abc import Callable


def obey(**commands: Callable[..., None]) -> None:
    """Does what the first argument of the command line names, with the other arguments."""
    commands[sys.argv[1]](*sys.argv[2:])
