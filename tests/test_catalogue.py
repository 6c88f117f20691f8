"""The catalogue, and the pages that are made from it."""

from pathlib import Path

import pytest

from multicnn.architectures import TABLE
from multicnn.catalogue import TABLES, account, entries, full_input, idea, parse_input
from multicnn.catalogue_pages import PAGES
from multicnn.errors import UsageError

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_are_current(name: str) -> None:
    told = f"docs/{name} is not what the docstrings say; run python -m multicnn.catalogue_pages"
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), told


def test_every_name_of_the_table_is_an_entry() -> None:
    every = entries()
    assert {one.name for one in every} == {name for table in TABLES.values() for name in table}
    assert all(one.idea and one.parameters > 0 for one in every)
    assert [one.name for one in entries("text")] == list(TABLE["text"])
    assert [one.name for one in entries("tokens")] == ["tagcnn"]
    with pytest.raises(UsageError, match=r"no pipeline images; did you mean image\?"):
        entries("images")


def test_the_idea_comes_from_the_docstring() -> None:
    class Base:
        """A network.

        Somebody 2020. The idea: less is
        more, often. And so on.
        """

    class Deep(Base):
        """100 layers."""

    class Plain:
        """Sees phrases.

        More.
        """

    assert idea(Base) == idea(Deep) == "Less is more, often."
    assert idea(Plain) == "Sees phrases."


def test_an_input_may_leave_out_the_channels() -> None:
    assert full_input("lenet") == (1, 32, 32)
    assert full_input("lenet", parse_input("28x28")) == (1, 28, 28)
    assert full_input("resnet18", parse_input("1x64x48")) == (1, 64, 48)
    assert full_input("textcnn", parse_input("12")) == (12,)
    with pytest.raises(UsageError, match="resnet18 takes an input like 3x224x224, not 12"):
        full_input("resnet18", (12,))


@pytest.mark.parametrize("text", ["", "3x", "ax3", "3x0x4", "3,4", "-3"])
def test_what_is_no_input_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="3x224x224"):
        parse_input(text)


def test_an_account_of_a_text_network_has_the_papers_parameters() -> None:
    # Kim 2014 with the default windows: V*300 + 360,300 + 301*C
    found = account("textcnn", (30,), classes=6, vocabulary=1000)
    assert found.parameters == found.total("parameters") == 1000 * 300 + 360_300 + 301 * 6


def test_an_account_of_a_tagger_sees_a_window_of_words() -> None:
    found = account("tagcnn", (3,), classes=5, vocabulary=1000)
    spelling = 97 * 30 + 60 * (3 * 30 + 1)
    assert found.parameters == 1000 * 100 + spelling + 300 * (3 * 160 + 1) + 5 * 301
    assert found.input == (3,)
    assert account("tagcnn").classes == 9  # of CoNLL-2003


def test_a_network_over_characters_has_its_papers_alphabet() -> None:
    found = account("charcnn")
    convolutions = 70 * 256 * 7 + 256**2 * 7 + 4 * 256**2 * 3 + 6 * 256
    assert found.parameters == convolutions + 34 * 256 * 1024 + 1024**2 + 2 * 1024 + 1024 * 2 + 2
    assert found.receptive_field == (123,)
    assert account("charcnn", (200,)).input == (200,)
    assert account("vdcnn", vocabulary=1000).parameters - account("vdcnn").parameters == (1000 - 69) * 16
    with pytest.raises(UsageError, match="100 characters are too short"):
        account("charcnn", (100,))
