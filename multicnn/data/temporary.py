"""A folder for what lives only as long as this process: unpacked archives, samples made on the spot."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def temporary_folder() -> Path:
    """The process's own temporary folder, made on the first call and removed at the end.

    Worker processes may read in it, but only the process that made it removes it.
    """
    folder = Path(tempfile.mkdtemp(prefix="multicnn-"))
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
