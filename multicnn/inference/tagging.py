"""Sentences whose words are tagged: words in, spans out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from multicnn.data.blob import Blob
from multicnn.data.conll import is_columns, sentences_of
from multicnn.data.example import Example, Trouble
from multicnn.data.spans import spans
from multicnn.data.word import Word
from multicnn.errors import InputError
from multicnn.inference.lines import Item, Line
from multicnn.inference.output import DECIMALS, Prediction
from multicnn.inference.stream import Answers
from multicnn.text.read import decode
from multicnn.text.tagging.words import words_of

# Words of a file that are handed on together, so that a large one is answered while it is divided.
AT_ONCE = 1024

Stream = Callable[[Iterable[list[Item]]], Iterator[Answers]]


@dataclass(slots=True)
class Sentence:
    """An input whose words are being answered.

    Attributes:
        name: the input's.
        text: as written.
        places: where each word begins and ends in it, in characters.
        rows: the probabilities of the words so far, [tags] each.
        waiting: answers that are still to come.
        error: the first.
    """

    name: str
    text: str = ""
    places: list[tuple[int, int]] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    waiting: int = 1
    error: str = ""


def tagged(stream: Stream, chunks: Iterable[list[Item]], labels: list[str]) -> Iterator[list[Prediction]]:
    """Has the words of each input tagged.

    Args:
        stream: `multicnn.inference.stream.answers`, but for the inputs.
        chunks: the inputs: a text, or a file with one, is a sentence; a file in columns has many.
        labels: the tags, in the order of the probabilities.

    Yields:
        For some inputs, in order: {"input", "words", "tags", "spans": [{"start", "end", "type", "text", "score"}]}, or
        {"input", "error"}. A span is text[start:end], where the text of a sentence in columns has a space between its
        words; its score is that of its least probable tag.
    """
    sentences: deque[Sentence] = deque()
    for batch in stream(_divide(chunks, sentences)):
        done: list[Prediction] = []
        for place, row in enumerate(batch.probabilities):
            sentence = sentences[0]
            sentence.rows.append(row)
            sentence.error = sentence.error or batch.errors.get(place, "")
            sentence.waiting -= 1
            if not sentence.waiting:
                done.append(_prediction(sentences.popleft(), labels))
        yield done


def _divide(chunks: Iterable[list[Item]], sentences: deque[Sentence]) -> Iterator[list[Item]]:
    """The words of each input; `sentences` is told before they go on."""
    for chunk in chunks:
        words: list[Item] = []
        for item in chunk:
            for sentence, its in _sentences(item):
                sentences.append(sentence)
                words += its
                if len(words) >= AT_ONCE:
                    yield words
                    words = []
        if words:
            yield words


def _sentences(item: Item) -> Iterator[tuple[Sentence, list[Item]]]:
    """The sentences of an input and their words; what cannot be read is one item that says why."""
    if isinstance(item, Trouble):
        yield Sentence(item.name), [item]
        return
    try:
        text = decode(item.load())
    except InputError as error:
        yield Sentence(item.name), [Trouble(item.name, str(error))]
        return
    if isinstance(item, Example) and isinstance(item.content, Blob) and is_columns(item.name, text):
        found = _in_columns(item.name, text)
    else:
        matches = words_of(text)
        found = [Sentence(item.name, text, [match.span() for match in matches])] if matches else []
    if not found:
        yield Sentence(item.name), [Trouble(item.name, "the text is empty")]
    for sentence in found:
        words = tuple(sentence.text[start:end] for start, end in sentence.places)
        sentence.waiting = len(words)
        yield sentence, [Line(Word(words, place)) for place in range(len(words))]


def _in_columns(name: str, text: str) -> list[Sentence]:
    """The sentences of a file in CoNLL columns, each named after the line of its first word; tags are not looked at."""
    found = []
    for lines in sentences_of(text):
        words = [columns[0] for _, columns in lines]
        ends = list(accumulate(len(word) + 1 for word in words))
        places = [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)]
        found.append(Sentence(f"{name}:{lines[0][0]}", " ".join(words), places))
    return found


def _prediction(sentence: Sentence, labels: list[str]) -> Prediction:
    """What is told about an input."""
    if sentence.error:
        return {"input": sentence.name, "error": sentence.error}
    probabilities = np.stack(sentence.rows)
    tags = [labels[number] for number in probabilities.argmax(axis=1).tolist()]
    scores = probabilities.max(axis=1)
    found = []
    for first, last, kind in spans(tags):
        start, end = sentence.places[first][0], sentence.places[last - 1][1]
        score = round(float(scores[first:last].min()), DECIMALS)
        found.append({"start": start, "end": end, "type": kind, "text": sentence.text[start:end], "score": score})
    words = [sentence.text[start:end] for start, end in sentence.places]
    return {"input": sentence.name, "words": words, "tags": tags, "spans": found}
