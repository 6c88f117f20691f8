"""Answers to windows become answers to recordings."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from multicnn.audio.read import AudioReader
from multicnn.data.blob import Blob
from multicnn.data.example import Example, Trouble
from multicnn.inference.lines import Item
from multicnn.inference.recordings import answers_of_recordings
from multicnn.inference.stream import Answers

RATE = 1000


def one_by_one(chunks: Iterable[list[Item]]) -> Iterator[Answers]:
    """Answers window n by n / 100; what is named `bad`, and the third window of all, are errors."""
    for number, item in enumerate(item for chunk in chunks for item in chunk):
        broken = isinstance(item, Trouble) or number == 2
        table = np.array([[np.nan if broken else number / 100]], np.float32)
        yield Answers([item.name], table, {0: f"broken {item.name}"} if broken else {})


def test_a_recording_with_a_broken_window_has_an_error_and_the_next_is_right(tmp_path: Path) -> None:
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(3 * RATE), RATE)
    inputs: list[Item] = [Example(f"{name}.wav", Blob(tmp_path / f"{name}.wav")) for name in "ab"]
    reader = AudioReader(RATE, RATE, windows=True)
    found = list(answers_of_recordings(one_by_one, [inputs, [Trouble("bad", "gone")]], reader, timeline=False))
    names = [name for some in found for name in some.names]
    assert names == ["a.wav", "b.wav", "bad"]
    a, b, bad = (some for some in found if some.names)
    assert a.errors == {0: "broken a.wav:1-2"}
    assert b.errors == {}
    np.testing.assert_allclose(b.probabilities, [[np.mean([5, 6, 7, 8, 9]) / 100]], rtol=1e-6)
    assert bad.errors == {0: "broken bad"}
