"""What a survey counts is what the tokenizer gives."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from multicnn.data.strings import StringPacker, Strings
from multicnn.text import survey as module
from multicnn.text.survey import survey
from multicnn.text.tokenize import TOKENIZERS, tokenize

TEXTS = ["Don't SAIL the ship, it'd've sunk!", "", "the cat's ship", "Straße nach Köln 3.14", "我喜欢猫 the ship"]


def packed(texts: list[str]) -> Strings:
    packer = StringPacker()
    packer.extend(texts)
    return packer.packed()


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_counts_the_tokens_of_each_text(tokenizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COUNTED_AT_ONCE", 7)
    tokens = [tokenize(text, tokenizer) for text in TEXTS]
    found = survey(packed(TEXTS), tokenizer)
    assert found.token_lists() == tokens
    assert found.counts() == Counter(chain.from_iterable(tokens))
    assert found.tokens == sum(map(len, tokens))
    assert found.texts.lengths.tolist() == [len(one) for one in tokens]


@pytest.mark.parametrize("tokenizer", ["unicode", "char"])
def test_processes_find_the_same(tokenizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = packed([f"{TEXTS[i % 5]} word{i % 17} {'x' * (i % 3)}" for i in range(100)])
    alone = survey(texts, tokenizer)
    monkeypatch.setattr(module, "WORTH", 100)
    shared = survey(texts, tokenizer, 3)
    assert shared.words == alone.words
    np.testing.assert_array_equal(shared.texts.flat, alone.texts.flat)
    np.testing.assert_array_equal(shared.texts.ends, alone.texts.ends)
