"""Looks over tagged sentences: the tags, the spans that they mark, and the sentences as wholes."""

from collections import Counter
from itertools import groupby
from statistics import median

from multicnn.data.conll import tagged_files
from multicnn.data.example import Example
from multicnn.data.examples import DataSet, Examples
from multicnn.data.layout import locate
from multicnn.data.report import Section, counted
from multicnn.data.spans import FIRST, spans, split_tag
from multicnn.data.targets import not_classes
from multicnn.data.word import Word

FEW_SPANS = 10  # spans of a type in training, below which little can be learnt of it


def whole_sentences(data: DataSet) -> Examples:
    """Each sentence as one text, whose label is its tags; the name is its first word's."""
    told = []
    for _, words in groupby(data.examples, lambda example: example.group):
        its = list(words)
        tags = " ".join(str(example.label) for example in its)
        text = " ".join(str(example.content) for example in its)
        told.append(Example(its[0].name, text, tags, its[0].split))
    return Examples.of(told)


def check_sentences(data: DataSet) -> Section:
    """How many there are, and how long they are."""
    section = Section("Sentences")
    lengths = [len(e.content.sentence) for e in data.examples if isinstance(e.content, Word) and e.content.place == 0]
    section.ok(f"{counted(len(lengths), 'sentence')} of {min(lengths):,} to {max(lengths):,} words")
    section.ok(f"median {median(lengths):g} words")
    return section


def check_tags(data: DataSet) -> Section:
    """How often each type of span occurs, types that a part lacks, and tags that begin a span in its middle."""
    section = Section("Tags")
    section.ok(", ".join(f"{tag} {count:,}" for tag, count in Counter(data.examples.labels).most_common()))
    kinds = {part: _kinds(data, part) for part in ("train", "validation", "test")}
    training, every = kinds["train"], sum(kinds.values(), Counter[str]())
    if not every:
        section.broken("no word lies in a span: all tags are O")
        return section
    if reason := not_classes(data.examples.labels):
        section.broken(reason)
    section.ok("spans in training: " + (", ".join(f"{kind} {n:,}" for kind, n in training.most_common()) or "none"))
    if training and (lost := sorted(every.keys() - training.keys())):
        section.broken(f"{counted(len(lost), 'type')} without a span in training", lost)
    if few := [f"{kind}: {count}" for kind, count in training.items() if count < FEW_SPANS]:
        section.warn(f"{counted(len(few), 'type')} with fewer than {FEW_SPANS} spans in training", few)
    for part in ("validation", "test"):
        if data.part(part) and (missing := sorted(every.keys() - kinds[part].keys())):
            section.warn(f"{counted(len(missing), 'type')} without a span in the {part} part", missing)
    if odd := odd_beginnings(data):
        section.warn(
            f"{counted(len(odd), 'span')} that a tag in its middle begins; each is read as if B- stood there", odd
        )
    return section


def _kinds(data: DataSet, part: str) -> Counter[str]:
    """The spans of a part by their types; examples in no part count as training."""
    tags = [e.label or "" for e in data.examples if (e.split or "train") == part]
    return Counter(split_tag(tag)[1] for tag in tags if tag.startswith("B-"))


def odd_beginnings(data: DataSet) -> list[str]:
    """Where a tag says that a span goes on, and none of its type does: `I-PER` behind `O`, as `a.conll:17: I-PER`.

    In IOB1 that is how spans begin. A file is in IOB1 where `B-` stands nowhere but right behind a span of its type.
    """
    found: list[str] = []
    for file in tagged_files(data.origin, locate(data.origin), []):
        odd: list[str] = []
        is_iob1 = True
        for lines in file.sentences():
            tags = [columns[-1] for _, columns in lines]
            try:
                its = spans(tags)
            except ValueError:
                continue  # the sentence was left out
            for before, span in zip([None, *its], its, strict=False):
                tag = tags[span.start]
                if split_tag(tag)[0] not in FIRST:
                    odd.append(f"{file.name}:{lines[span.start][0]}: {tag}")
                elif before is None or (before.end, before.kind) != (span.start, span.kind):
                    is_iob1 = False
        found += [] if is_iob1 else odd
    return found
