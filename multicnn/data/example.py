"""One example, whatever its form on disk, and what could not become one."""

from dataclasses import dataclass

from multicnn.data.blob import Blob
from multicnn.data.excerpt import Excerpt
from multicnn.data.passage import Passage

# What an example holds.
Held = Blob | Excerpt | str | Passage
# What a reader is given: a file's bytes, a text, a stretch of a recording or of a text.
Content = bytes | str | Excerpt | Passage


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn from or to classify.

    Args:
        name: what the user sees: a relative path or a member's name, `train.csv:17` for the 17th row of texts, or
            `dawn.flac:12.5-15` for these seconds of a recording.
        content: where the bytes of a picture or a sound lie; a text is always here itself, already decoded,
            and so is a `Word` that is to be tagged.
        label: exactly as written, or None where there is none.
        split: "train", "validation", "test", or None where the data does not say.
        fold: the fold it belongs to, exactly as written.
        group: examples of one group never end up on both sides of a split.
    """

    name: str
    content: Held
    label: str | None = None
    split: str | None = None
    fold: str | None = None
    group: str | None = None

    def load(self) -> Content:
        """The encoded bytes or the text; a stretch as it is, for its reader reads no more than it needs.

        Raises:
            InputError: the bytes cannot be read.
        """
        return self.content.read() if isinstance(self.content, Blob) else self.content


@dataclass(frozen=True, slots=True)
class Trouble:
    """An example that cannot be used, and why; it was left out."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"
