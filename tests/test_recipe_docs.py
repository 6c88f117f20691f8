"""The pages that tell the keys of a recipe know all of them, and no others."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from multicnn.recipe import RECIPES
from multicnn.recipe_sections import AudioAugment, ImageAugment, Tagging, TaggingAugment, TextAugment

DOCS = Path(__file__).parents[1] / "docs"
SECTIONS = ("data", "image", "audio", "text", "model", "augment", "training")


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """The dotted keys of a section that hold values."""
    found = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        is_section = isinstance(inner, type) and issubclass(inner, BaseModel)
        found += keys(inner, f"{prefix}{name}.") if is_section else [prefix + name]  # type: ignore[arg-type]
    return found


def keys_of_section(section: str) -> set[str]:
    """Of all pipelines that have it."""
    models = [recipe.model_fields[section].annotation for recipe in RECIPES.values() if section in recipe.model_fields]
    return {key for model in models if model is not None for key in keys(model)}


def row_of(section: str) -> str:
    """What the table of docs/recipes.md says of a section, without what stands in backticks."""
    match = re.search(rf"^\| {section} \| (.*) \|$", (DOCS / "recipes.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert match, f"docs/recipes.md has no row for {section}"
    return re.sub(r"`[^`]*`", "", match[1])


@pytest.mark.parametrize("section", SECTIONS)
def test_the_table_of_all_keys(section: str) -> None:
    row = row_of(section)
    known = {part for key in keys_of_section(section) for part in key.split(".")}
    assert known - set(re.findall(r"\w+", row)) == set()
    outside = row
    while "(" in outside:  # what a key may be, and the keys below it
        outside = re.sub(r"\([^()]*\)", "", outside)
    top = {key.partition(".")[0] for key in keys_of_section(section)}
    assert set(re.findall(r"\w+", outside)) - {"with", "image", "audio", "text"} == top


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Augmentation of pictures", keys(ImageAugment)),
        ("Augmentation of sounds", keys(AudioAugment)),
        ("Augmentation of texts", keys(TextAugment)),
        (
            "Tags for words",
            [
                *(f"text.{key}" for key in Tagging.model_fields),
                *(f"augment.{key}" for key in keys(TaggingAugment)),
                "model.options",
            ],
        ),
    ],
)
def test_the_tables_of_the_page_on_training(title: str, told: list[str]) -> None:
    page = (DOCS / "train.md").read_text(encoding="utf-8")
    section = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE)
    assert sorted(re.findall(r"`([^`]+)`", " ".join(rows))) == sorted(told)
