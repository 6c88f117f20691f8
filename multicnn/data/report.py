"""What `multicnn data check` found, in sections."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["ok", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report.

    Args:
        status: "broken" spoils a training or was left out; a "warning" should be known.
        message: what was found.
        items: the examples or classes it is about, each by name.
    """

    status: Status
    message: str
    items: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """Findings about one side of the data."""

    title: str
    findings: list[Finding] = field(default_factory=list)

    def ok(self, message: str) -> None:
        """Adds what is as it should be."""
        self.findings.append(Finding("ok", message))

    def warn(self, message: str, items: Sequence[str] = ()) -> None:
        """Adds what should be known."""
        self.findings.append(Finding("warning", message, list(items)))

    def broken(self, message: str, items: Sequence[str] = ()) -> None:
        """Adds what spoils a training."""
        self.findings.append(Finding("broken", message, list(items)))


@dataclass(slots=True)
class Report:
    """All sections of a check."""

    origin: str
    kind: str
    sections: list[Section]

    @property
    def is_broken(self) -> bool:
        """Whether anything spoils a training; the command then ends with status 3."""
        return any(finding.status == "broken" for section in self.sections for finding in section.findings)

    def as_json(self) -> dict[str, Any]:
        """The whole report, every item named."""
        sections = [asdict(section) for section in self.sections]
        return {"data": self.origin, "kind": self.kind, "broken": self.is_broken, "sections": sections}


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2 files`, `1,234 classes`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
