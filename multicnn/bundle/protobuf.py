"""Protobuf messages field by field, straight from a file: importing onnx takes 0.1 s, and it reads every weight."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

NUMBER, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # wire types


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: as in the .proto file.
        is_number: whether it is an integer by itself, or bytes.
        value: the integer, or how many bytes there are; the file stands at the first of them.
    """

    number: int
    is_number: bool
    value: int


def fields(file: BinaryIO, end: int) -> Iterator[Field]:
    """The fields of a message, from where the file stands.

    Afterwards the file may stand anywhere: the next field is looked for behind this one.

    Args:
        file: can be read from anywhere.
        end: where the message ends.

    Raises:
        EOFError: this is no protobuf message, or a field goes on after its end.
    """
    while file.tell() < end:
        tag = _varint(file)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == NUMBER:
            value = _varint(file)
            after = file.tell()
        else:
            value = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(wire_type) or (_varint(file) if wire_type == BYTES else end)
            after = file.tell() + value
        if after > end:
            raise EOFError
        yield Field(number, wire_type == NUMBER, value)
        file.seek(after)


def _varint(file: BinaryIO) -> int:
    """A protobuf integer: seven bits a byte, lowest first; the last byte has its highest bit clear."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise EOFError
