"""Every form of data set is planned alike by all the pipelines for which it makes sense."""

import csv
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import Outline, outline


def plan(kind: str, path: object, **settings: object) -> Outline:
    tree = {"data.path": str(path), **{key.replace("__", "."): value for key, value in settings.items()}}
    return outline(load_recipe(kind, None, tree), "cpu")


def counts(one: Outline) -> tuple[int, int, int]:
    return len(one.parts.train), len(one.parts.validation), len(one.parts.test)


@pytest.mark.parametrize("packing", ["", ":gz", ":xz"])
def test_an_archive_is_planned_like_its_folder(packing: str, pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / f"pictures.tar{packing.replace(':', '.')}"
    with tarfile.open(path, f"w{packing}") as archive:
        archive.add(pictures, "wrapping/pictures")
    packed, folder = plan("image", path), plan("image", pictures)
    assert counts(packed) == counts(folder) == (66, 6, 18)
    assert packed.reader == folder.reader
    held_out = sorted(example.name.removeprefix("wrapping/pictures/") for example in packed.parts.validation)
    assert held_out == sorted(example.name for example in folder.parts.validation)


def test_a_manifest_leads_into_an_archive(sounds: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "sounds.tar.gz", "w:gz") as archive:
        archive.add(sounds.parent, ".")
    shutil.copy(sounds, tmp_path / "list.csv")
    one = plan("audio", tmp_path / "list.csv", data__root=str(tmp_path / "sounds.tar.gz"))
    assert counts(one) == (44, 6, 10)
    assert one.labels == ["high", "low"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_columns_are_named_or_found(suffix: str, tmp_path: Path) -> None:
    rows = [{"Sentence": f"text number {n}", "kind": "no" if n % 2 else " 007 "} for n in range(40)]
    path = tmp_path / f"texts{suffix}"
    with path.open("w", newline="") as file:
        if suffix == ".jsonl":
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    one = plan("text", path, data__label_column="kind")
    assert one.labels == [" 007 ", "no"]
    assert counts(one) == (36, 4, 0)


def test_text_folders_and_fasttext_lines_are_one_data_set(tmp_path: Path) -> None:
    lines = []
    for label in ("sea", "food"):
        (tmp_path / "folders" / label).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "folders" / label / f"{number}.txt").write_text(f"{label} text {number}")
            lines.append(f"__label__{label} {label} text {number}\n")
    (tmp_path / "lines.txt").write_text("".join(lines))
    folders, fasttext = plan("text", tmp_path / "folders"), plan("text", tmp_path / "lines.txt")
    assert counts(folders) == counts(fasttext) == (36, 4, 0)
    assert folders.labels == fasttext.labels == ["food", "sea"]


def test_validation_and_test_parts_may_come_from_elsewhere(pictures: Path) -> None:
    one = plan("image", pictures / "train", data__test=str(pictures / "test"), data__validation=str(pictures / "test"))
    assert counts(one) == (72, 18, 18)


def test_a_fraction_without_effect_is_noted(pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures / "train", tmp_path / "data" / "train")
    shutil.copytree(pictures / "test", tmp_path / "data" / "val")
    assert not plan("image", tmp_path / "data").parts.notes
    assert "no effect" in " ".join(plan("image", tmp_path / "data", data__validation=0.3).parts.notes)


def test_the_same_content_is_never_on_both_sides(pictures: Path, tmp_path: Path) -> None:
    for copy in range(3):
        shutil.copytree(pictures / "train", tmp_path / "data", dirs_exist_ok=True, copy_function=_renaming(copy))
    one = plan("image", tmp_path / "data", data__validation=0.3)
    contents = [{example.load() for example in part} for part in (one.parts.train, one.parts.validation)]
    assert contents[0]
    assert contents[1]
    assert not contents[0] & contents[1]


def _renaming(copy: int) -> object:
    def copied(source: str, target: str) -> str:
        path = Path(target)
        return str(shutil.copy(source, path.with_name(f"{copy}_{path.name}")))

    return copied


@pytest.mark.parametrize("name", ["digits", "tones", "docstrings"])
def test_samples_come_with_a_test_part(name: str) -> None:
    kind = {"digits": "image", "tones": "audio", "docstrings": "text"}[name]
    train, validation, test = counts(plan(kind, f"sample:{name}"))
    assert 0.15 < test / (train + validation + test) < 0.25
    assert validation
