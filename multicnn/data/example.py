"""What a data set is once its form on disk no longer matters: examples, and what could not become one."""

from dataclasses import dataclass, field

from multicnn.data.blob import Blob
from multicnn.data.excerpt import Excerpt
from multicnn.data.order import natural_key
from multicnn.data.passage import Passage

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
    content: Blob | Excerpt | str | Passage
    label: str | None = None
    split: str | None = None
    fold: str | None = None
    group: str | None = None

    @property
    def text(self) -> str:
        """The content of a text."""
        assert isinstance(self.content, str), "texts are read when their data set is opened"
        return self.content

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


@dataclass(slots=True)
class DataSet:
    """All examples of a data set, in the order of its manifest or in natural order of the paths.

    Args:
        origin: what the user called it.
        kind: "image", "audio", "text" or "tokens".
        examples: what can be used.
        troubles: what was left out; the command ends with status 3 when there are any.
        notes: what the user should know and is no fault.
    """

    origin: str
    kind: str
    examples: list[Example] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """The classes that occur, in natural order ("2" before "10")."""
        return sorted({e.label for e in self.examples if e.label is not None}, key=natural_key)

    def part(self, split: str) -> list[Example]:
        """The examples of one part: "train", "validation" or "test"."""
        return [e for e in self.examples if e.split == split]
