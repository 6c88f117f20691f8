"""multicnn data show: a page with each picture as read and as changed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from multicnn.recipe_files import load_recipe
from multicnn.training.contact_sheet import DRAWS, EXAMPLES, contact_sheet
from tests.conftest import Cli

OFF = {"augment.flip": False, "augment.crop": 0}
SIDE, GAP, LINE = 24 * 5, 8, 18  # the pictures of 24 x 24 pixels are enlarged five times


def tiles(page: Image.Image) -> np.ndarray:
    """[rows, columns, height, width, 3], at the pictures' own size."""
    pixels, across, down, top = np.asarray(page), SIDE + GAP, SIDE + GAP + LINE, 2 * LINE + GAP
    places = [[(top + row * down, GAP + column * across) for column in range(1 + DRAWS)] for row in range(EXAMPLES)]
    return np.array([[pixels[y : y + SIDE : 5, x : x + SIDE : 5] for y, x in row] for row in places])


def sheet(data: Path, **settings: object) -> np.ndarray:
    tree = {"data.path": str(data), **OFF, **{key.replace("__", "."): value for key, value in settings.items()}}
    return tiles(contact_sheet(load_recipe("image", None, tree)))


def test_without_augmentation_every_draw_is_the_picture_as_it_was_read(pictures: Path) -> None:
    shown = sheet(pictures)
    files = [np.asarray(Image.open(file)) for file in (pictures / "train").rglob("*.png")]
    assert any(np.array_equal(shown[0, 0], file) for file in files)
    assert (shown == shown[:, :1]).all()
    assert len({row.tobytes() for row in shown[:, 0]}) == EXAMPLES


def test_each_picture_and_each_draw_is_changed_in_its_own_way(pictures: Path) -> None:
    shown = sheet(pictures, augment__noise=0.3, augment__resized_crop=0.3)
    assert len({tile.tobytes() for row in shown for tile in row}) == EXAMPLES * (1 + DRAWS)
    assert np.array_equal(shown, sheet(pictures, augment__noise=0.3, augment__resized_crop=0.3))
    assert not np.array_equal(shown, sheet(pictures, augment__noise=0.3, training__seed=1))


def test_an_alternating_flip_is_seen_in_every_other_draw(pictures: Path) -> None:
    shown = sheet(pictures, augment__flip="alternating")
    mirrored = (shown[:, 1:] == shown[:, :1, :, ::-1]).all(axis=(2, 3, 4))
    assert mirrored.tolist() == [[(row + draw) % 2 == 0 for draw in range(DRAWS)] for row in range(EXAMPLES)]


def test_mixtures_are_drawn(pictures: Path) -> None:
    shown = sheet(pictures, augment__cutmix=1.0)
    changed = (shown[:, 1:] != shown[:, :1]).any(axis=4).mean(axis=(2, 3))
    assert changed.max() > 0.2


def test_writes_a_picture_for_pictures_and_for_sounds(pictures: Path, sounds: Path, cli: Cli, tmp_path: Path) -> None:
    for data in (pictures, sounds):
        done = cli("data", "show", data, "-o", tmp_path / f"{data.stem}.png")
        assert done.returncode == 0, done.stderr
        assert Image.open(tmp_path / f"{data.stem}.png").width > (1 + DRAWS) * 50
    again = cli("data", "show", pictures, "-o", tmp_path / f"{pictures.stem}.png")
    assert again.returncode == 2
    assert "--overwrite" in again.stderr


@pytest.mark.parametrize(
    ("what", "arguments", "message"),
    [
        ("pictures", [], "-o page.png"),
        ("pictures", ["-o", "page.jpg"], "ending .png"),
        ("pictures", ["-o", "page.png", "--set", "augment.flipp=true"], "did you mean"),
        ("texts", ["-o", "page.png"], "texts cannot be drawn"),
        ("sounds", ["-o", "page.png", "--set", "audio.frontend=waveform"], "audio.frontend=logmel"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    what: str, arguments: list[str], message: str, request: pytest.FixtureRequest, cli: Cli, tmp_path: Path
) -> None:
    done = cli("data", "show", request.getfixturevalue(what), *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("page*"))
