"""Which words a sequence of tags marks, case by case as conlleval and seqeval see it."""

import pytest

from multicnn.data.spans import Span, bio_tags, both_tags, spans


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-PER I-PER O B-LOC", [(1, 3, "PER"), (4, 5, "LOC")]),
        ("B-PER B-PER I-PER", [(0, 1, "PER"), (1, 3, "PER")]),  # two neighbours
        ("I-PER I-PER O I-LOC", [(0, 2, "PER"), (3, 4, "LOC")]),  # IOB1: I begins a span behind O
        ("B-PER I-LOC I-LOC", [(0, 1, "PER"), (1, 3, "LOC")]),  # another type begins another span
        ("B-PER O I-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        ("B-PER I-PER E-PER S-PER E-PER", [(0, 3, "PER"), (3, 4, "PER"), (4, 5, "PER")]),  # IOBES
        ("B-PER L-PER I-PER U-LOC", [(0, 2, "PER"), (2, 3, "PER"), (3, 4, "LOC")]),  # BILOU
        ("B-creative-work I-creative-work", [(0, 2, "creative-work")]),
        ("O O", []),
        ("", []),
    ],
)
def test_spans(tags: str, expected: list[tuple[int, int, str]]) -> None:
    assert spans(tags.split()) == [Span(*one) for one in expected]


def test_every_scheme_becomes_bio() -> None:
    written = bio_tags(["I-PER", "E-PER", "O", "S-LOC", "S-LOC", "I-LOC"])
    assert written == ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "B-LOC"]


@pytest.mark.parametrize("tag", ["NN", "B-", "b-PER", "X-PER", ""])
def test_refuses_what_is_no_tag_of_a_span(tag: str) -> None:
    with pytest.raises(ValueError, match="tags are O, or B- or I- and a type"):
        spans(["O", tag])


def test_a_type_has_both_of_its_tags() -> None:
    assert both_tags(["B-LOC", "B-PER", "I-PER", "O"]) == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
