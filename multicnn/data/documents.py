"""Text files as examples: one file is one document."""

import codecs

from multicnn.data.blob import Blob
from multicnn.errors import InputError


def read_document(blob: Blob) -> str:
    """A file's text, exactly as written but for a byte order mark.

    Raises:
        InputError: it cannot be read, or is no UTF-8.
    """
    data = blob.read().removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte 0x{data[error.start]:02X} at position {error.start + 1:,} is no UTF-8; save the file as UTF-8"
        ) from None
