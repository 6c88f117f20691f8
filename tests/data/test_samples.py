"""The samples are real data sets: balanced enough, divided, the same every time."""

import io
import time
import wave
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from multicnn.data.layout import Columns, open_dataset
from multicnn.data.samples import KINDS
from multicnn.errors import UsageError


@pytest.mark.parametrize("name", list(KINDS))
def test_parts_and_classes(name: str) -> None:
    kind = KINDS[name]
    started = time.process_time()
    data = open_dataset(f"sample:{name}", kind)  # type: ignore[arg-type]
    assert time.process_time() - started < 5
    counts = Counter(e.label for e in data.examples)
    assert 5 <= len(counts) <= 10
    assert max(counts.values()) < 3 * min(counts.values())
    for label, count in counts.items():
        assert sum(e.label == label for e in data.part("test")) == round(count * 0.2)
    assert len({e.name for e in data.examples}) == len(data.examples)
    again = open_dataset(f"sample:{name}", kind)  # type: ignore[arg-type]
    assert [(e.load(), e.label, e.split) for e in data.examples] == [
        (e.load(), e.label, e.split) for e in again.examples
    ]


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    data = open_dataset("sample:digits", "image")
    truth = load_digits()
    assert data.labels == [str(d) for d in range(10)]
    assert [e.label for e in data.examples] == [str(d) for d in truth.target]
    for example, pixels in list(zip(data.examples, truth.images, strict=True))[::200]:
        content = example.load()
        assert isinstance(content, bytes)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), np.rint(pixels * 255 / 16))


def test_tones_are_wav_files_of_one_second() -> None:
    data = open_dataset("sample:tones", "audio")
    assert data.labels == ["bowed", "noisy", "plucked", "struck", "swept"]
    assert len(data.examples) == 400
    for example in data.examples[::40]:
        content = example.load()
        assert isinstance(content, bytes)
        with wave.open(io.BytesIO(content)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 16_000)
            samples = np.frombuffer(file.readframes(16_000), "<i2")
        assert 1000 < np.abs(samples.astype(int)).max() <= 32767


def test_docstrings_hold_each_text_once() -> None:
    data = open_dataset("sample:docstrings", "text")
    assert 1500 <= len(data.examples) <= 3000
    assert len({e.content for e in data.examples}) == len(data.examples)
    assert {e.label for e in data.part("train")} == {e.label for e in data.part("test")}


def test_wrong_samples() -> None:
    with pytest.raises(UsageError, match=r"no sample:digit; did you mean digits\?"):
        open_dataset("sample:digit", "image")
    with pytest.raises(
        UsageError, match="sample:tones is for the audio pipeline; the image pipeline has sample:digits"
    ):
        open_dataset("sample:tones", "image")
    with pytest.raises(UsageError, match="has no effect"):
        open_dataset("sample:digits", "image", columns=Columns(label="x"))
