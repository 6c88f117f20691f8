"""Texts by the thousand, block by block: here at first, by several processes once there are many."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from multicnn.data.example import Trouble
from multicnn.errors import InputError
from multicnn.inference.lines import Block, Chunk, Item
from multicnn.inference.lookups import LookUps
from multicnn.inference.output import Writer
from multicnn.inference.stream import NOT_FINITE, Answers
from multicnn.text.read import decode

ITEMS = 256  # of a long list that are answered at a time
# Bytes in blocks of at least so many, one behind another, are more than one process answers: a full pipe holds 64 KB,
# and much less where it is emptied as quickly as it is filled.
LARGE, MANY = 1 << 15, 1 << 17


class Told(NamedTuple):
    """Answers as they are printed.

    Attributes:
        content: to be sent by the writer.
        total: how many inputs they are about.
        failed: how many of these could not be used.
    """

    content: bytes
    total: int
    failed: int


def told(
    tables: LookUps,
    chunks: Iterable[Chunk],
    writer: Writer,
    *,
    top_k: int | None = None,
    threshold: float = 0.0,
    processes: int = 1,
) -> Iterator[Told]:
    """Classifies texts; one answer an input, in the same order. What has arrived is answered without waiting for more.

    Args:
        tables: the model.
        chunks: inputs, as many at a time as are known.
        writer: encodes the answers.
        top_k, threshold: as `multicnn.inference.output.predictions`.
        processes: how many may work at the same time.

    Yields:
        The answers to some inputs.
    """

    def work(chunk: Chunk) -> Told:
        answers = answers_to(chunk, tables)
        content = writer.encoded_answers(answers, tables.labels, top_k, threshold)
        return Told(content, len(answers.names), len(answers.errors))

    left = _short(chunks)
    large = 0
    # The products are small: threads of the matrix library would wait for them longer than they compute, at full speed,
    # and keep the cores from the other processes.
    with threadpool_limits(1, "blas"):
        for chunk in left:
            yield work(chunk)
            size = len(chunk.content) if isinstance(chunk, Block) else 0
            large = large + size if size >= LARGE else 0
            if large >= MANY and processes > 1:
                from multicnn.data.processes import CAN_COPY, in_order

                if CAN_COPY:
                    yield from in_order(work, left, processes)


def _short(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The same inputs; no list of them is long, so that memory stays the same."""
    for chunk in chunks:
        if isinstance(chunk, Block):
            yield chunk
        else:
            yield from (chunk[start : start + ITEMS] for start in range(0, len(chunk), ITEMS))


def answers_to(chunk: Chunk, tables: LookUps) -> Answers:
    """Classifies texts at once."""
    names, texts, errors = _read(chunk)
    several, empty = tables.reader.read_many(texts)
    there = np.flatnonzero(several.lengths)
    probabilities = np.full((len(names), len(tables.labels)), np.nan, np.float32)
    if len(there):
        probabilities[there] = tables.probabilities(several.without_empty())
    for place in np.flatnonzero(~np.isfinite(probabilities).all(axis=1)).tolist():
        if place not in errors:
            errors[place] = empty.get(place, NOT_FINITE)
    return Answers(names, probabilities, errors)


def _read(chunk: Chunk) -> tuple[list[str], list[str], dict[int, str]]:
    """The names of inputs, their texts, and why some have none, by their places."""
    if isinstance(chunk, Block):
        texts = chunk.texts()
        if texts is not None:
            return texts, texts, {}
        chunk = chunk.items()
    errors: dict[int, str] = {}
    texts = []
    for place, item in enumerate(chunk):
        try:
            texts.append(_text(item))
        except InputError as error:
            texts.append("")
            errors[place] = str(error)
    return [item.name for item in chunk], texts, errors


def _text(item: Item) -> str:
    """An input's text.

    Raises:
        InputError: it cannot be read.
    """
    if isinstance(item, Trouble):
        raise InputError(item.reason)
    return decode(item.load())
