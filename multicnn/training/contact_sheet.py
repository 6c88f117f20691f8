"""A page with what a network is fed in training: a few examples, each as it was read and as it was changed."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from multicnn.data.example import Example
from multicnn.errors import InputError, UsageError
from multicnn.pipeline import Reader
from multicnn.recipe import AudioRecipe, Recipe
from multicnn.training.prepare import Outline, outline

EXAMPLES = 8
DRAWS = 5
TILE = 128  # pixels that a picture is at least enlarged to, as far as whole factors go
GAP, LINE = 8, 18


def contact_sheet(recipe: Recipe) -> Image.Image:
    """Reads a few training examples and augments each several times, as a training would.

    Args:
        recipe: as it was asked for; its seed decides the draws.

    Returns:
        A page with a row for each example: as it was read, then one picture a draw. Colour spaces and normalisation,
        which are in the network's front end, are left out; sounds are drawn as their spectrograms.

    Raises:
        UsageError: the data's layout is wrong, or its examples are nothing that can be drawn.
    """
    if recipe.pipeline in ("text", "tokens"):
        what = "texts" if recipe.pipeline == "text" else "words"
        raise UsageError(f"{what} cannot be drawn; data show is for pictures and sounds")
    plan = outline(recipe, "cpu")
    names, arrays = _read(plan.parts.train, plan.reader)
    batch = torch.from_numpy(plan.reader.collate(arrays))
    columns = [_before(plan, batch), *_draws(plan, batch)]
    return _page(names, [[_tile(picture) for picture in column] for column in columns])


def _read(examples: Sequence[Example], reader: Reader) -> tuple[list[str], list[np.ndarray]]:
    """Labels and arrays of an evenly spread few; of those that are broken the next one is taken."""
    names: list[str] = []
    arrays: list[np.ndarray] = []
    starts = np.linspace(0, len(examples), min(EXAMPLES, len(examples)) + 1).astype(int)
    for start, end in pairwise(starts):
        for example in examples[start:end]:
            try:
                arrays.append(reader.read(example.load()))
            except InputError:
                continue
            names.append(example.label or "")
            break
    if not arrays:
        raise UsageError("none of the training examples can be read")
    return names, arrays


def _before(plan: Outline, batch: Tensor) -> Tensor:
    """What is drawn of a reader's batch, [batch, height, width, channels], 0 to 255."""
    return _spectrograms(plan, batch) if isinstance(plan.recipe, AudioRecipe) else batch


def _draws(plan: Outline, batch: Tensor) -> list[Tensor]:
    """What is drawn of each draw; an example's turn comes in every other one."""
    augmentation = plan.pipeline.augmentation(plan.recipe)
    generator = torch.Generator().manual_seed(plan.recipe.training.seed)
    truth = torch.zeros(len(batch), dtype=torch.int64)
    draws = []
    for number in range(DRAWS):
        turn = (torch.arange(len(batch)) + number) % 2 == 0
        changed, _ = augmentation.mix(augmentation.inputs(batch, generator, turn), truth, 1, generator)
        if isinstance(plan.recipe, AudioRecipe):
            changed = _spectrograms(plan, changed, generator)
        draws.append(changed)
    return draws


def _spectrograms(plan: Outline, waves: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Spectrograms, high frequencies on top, [batch, bands, frames, channels], each from its darkest to its brightest.

    Args:
        plan: its front end is used.
        waves: a reader's batch, [batch, samples].
        generator: masks them, as in training.
    """
    assert isinstance(plan.recipe, AudioRecipe)
    if plan.recipe.audio.frontend == "waveform":
        raise UsageError(f"{plan.recipe.model.arch} hears waveforms, which are not drawn; set audio.frontend=logmel")
    with torch.no_grad():
        seen: Tensor = plan.pipeline.network(plan.recipe, plan.reader, len(plan.labels)).frontend(waves)
    if generator is not None:
        seen = plan.pipeline.augmentation(plan.recipe).features(seen, generator)
    low, high = seen.amin((1, 2, 3), keepdim=True), seen.amax((1, 2, 3), keepdim=True)
    return (255 * (seen - low) / (high - low).clamp_min(1e-6)).flip(2).permute(0, 2, 3, 1)


def _tile(picture: Tensor) -> Image.Image:
    """One picture, [height, width, channels] of 0 to 255, with small ones enlarged pixel by pixel."""
    pixels = picture.round().clamp(0, 255).to(torch.uint8).numpy() if picture.is_floating_point() else picture.numpy()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    factor = max(1, TILE // max(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _page(names: Sequence[str], columns: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """A row for each name, below a line of headings; the name stands over its row."""
    width, height = columns[0][0].size
    across, down = width + GAP, height + GAP + LINE
    page = Image.new("RGB", (GAP + len(columns) * across, LINE + GAP + len(names) * down), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(12)
    for column, tiles in enumerate(columns):
        left = GAP + column * across
        draw.text((left, GAP // 2), "as read" if column == 0 else f"draw {column}", "black", font)
        for row, tile in enumerate(tiles):
            page.paste(tile, (left, LINE + GAP + row * down + LINE))
    for row, name in enumerate(names):
        draw.text((GAP, LINE + GAP + row * down), name, "black", font)
    return page
