"""Many texts at a time are read as one by one."""

import numpy as np
import pytest

from multicnn.data import texts as module
from multicnn.data.decode import collect, decode
from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.data.recordings import cut
from multicnn.data.texts import collect_texts
from multicnn.text.read import TextReader


@pytest.mark.parametrize("workers", [1, 2])
def test_many_texts_are_read_as_one_by_one(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH", 50)
    texts = ["The cat, the dog", "", "a mouse and a\0 cat", "\u200b", "a dog " * 9, "the owl"] * 5
    examples = Examples.of(Example(str(number), text, str(number % 3)) for number, text in enumerate(texts))
    reader = TextReader("unicode", ["cat", "dog", "the"], max_length=6)
    one_by_one = collect(cut(examples, reader), decode(examples, reader, 1))
    together = collect_texts(examples, reader, workers)
    assert [ids.tolist() for ids in together.arrays] == [ids.tolist() for ids in one_by_one.arrays]
    assert list(together.labels) == one_by_one.labels and together.troubles == one_by_one.troubles
    assert len(together.troubles) == 10
    np.testing.assert_array_equal(together.owner, one_by_one.owner)
