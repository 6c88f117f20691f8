"""Plain copies of MP3 files, in which one cannot jump to a place. Torch-free.

libsndfile counts an MP3 file's frames anew each time that it is opened, and what it plays behind a jump lacks the bits
that earlier frames hold for later ones: an hour in windows of a second took minutes, and libmpg123 complained of each.
"""

import tempfile
from functools import lru_cache
from threading import Lock
from typing import BinaryIO

import soundfile

from multicnn.data.blob import Blob

KEPT = 32  # copies; more than there are threads that read
SECONDS = 60  # that are copied at a time


class Onward(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from front to back; soundfile jumps to where it stands after each block otherwise."""

    def seekable(self) -> bool:
        return False


class PlainCopy:
    """An MP3 file's samples in a temporary file, which is written when it is first asked for and goes with this.

    Args:
        source: the MP3 file.
    """

    def __init__(self, source: Blob) -> None:
        self._source = source
        self._lock = Lock()
        self._copy: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """The samples as a W64 file of float32, of its own for each caller.

        Raises:
            soundfile.LibsndfileError: the source is broken.
        """
        with self._lock:
            if self._copy is None:
                self._copy = self._written()
            return open(self._copy.name, "rb")  # noqa: PTH123 a name, and the caller closes it

    def _written(self) -> BinaryIO:
        copy = tempfile.NamedTemporaryFile(prefix="multicnn-")  # noqa: SIM115 it goes with this object
        with self._source.open() as stream, Onward(stream) as sound:
            rate, channels = sound.samplerate, sound.channels
            with soundfile.SoundFile(copy.name, "w", rate, channels, "FLOAT", format="W64") as plain:
                while len(block := sound.read(SECONDS * rate, dtype="float32")):
                    plain.write(block)
        return copy  # type: ignore[return-value]


@lru_cache(KEPT)
def plain_copy(source: Blob) -> PlainCopy:
    """The copy of a file; the last few are kept, for a recording's excerpts are mostly asked for one after another."""
    return PlainCopy(source)
