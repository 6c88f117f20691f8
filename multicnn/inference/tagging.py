"""Sentences whose words are tagged: words in, spans out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from multicnn.data.example import Trouble
from multicnn.data.spans import spans
from multicnn.data.word import Word
from multicnn.errors import InputError
from multicnn.inference.lines import Item, Line
from multicnn.inference.output import DECIMALS, Prediction
from multicnn.inference.stream import Answers
from multicnn.text.read import decode
from multicnn.text.tagging.words import words_of

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
        chunks: the inputs: a text, or a file with one, is a sentence.
        labels: the tags, in the order of the probabilities.

    Yields:
        For some inputs, in order: {"input", "words", "tags", "spans": [{"start", "end", "type", "text", "score"}]}, or
        {"input", "error"}. A span is input[start:end]; its score is that of its least probable tag.
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
            sentence, its = _words(item)
            sentences.append(sentence)
            words += its
        yield words


def _words(item: Item) -> tuple[Sentence, list[Item]]:
    """An input and its words; what cannot be read is one item that says why."""
    if isinstance(item, Trouble):
        return Sentence(item.name), [item]
    try:
        text = decode(item.load())
    except InputError as error:
        return Sentence(item.name), [Trouble(item.name, str(error))]
    matches = words_of(text)
    if not matches:
        return Sentence(item.name), [Trouble(item.name, "the text is empty")]
    words = tuple(match[0] for match in matches)
    sentence = Sentence(item.name, text, [match.span() for match in matches], waiting=len(words))
    return sentence, [Line(Word(words, place)) for place in range(len(words))]


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
