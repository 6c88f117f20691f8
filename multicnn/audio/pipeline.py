"""Sounds: from a recipe to a reader, a front end and a network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.architectures import build_audio, own_size
from multicnn.audio.augment import AudioAugmentation, Equalizer, SpecAugment
from multicnn.audio.augment_time import PitchAndTempo, Speed
from multicnn.audio.frontends.choose import FrontEnd, build_frontend, settle_frontend
from multicnn.audio.read import AudioFacts, AudioReader, auto_settings, inspect
from multicnn.audio.windows import starts
from multicnn.blocks.classifier import Classifier
from multicnn.blocks.mixup import Mixup
from multicnn.blocks.normalisation import stands_high_rates
from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.errors import InputError, UsageError
from multicnn.language.tree import is_pattern
from multicnn.recipe import AudioRecipe, Recipe, check_mixing, fill, fill_training
from multicnn.recipe_sections import Audio

# Enough sounds to know what the others are like.
SURVEYED = 256


class AudioPipeline:
    """The audio pipeline's side of `multicnn.pipeline.Pipeline`."""

    most_epochs = 200

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._windows = 1.0

    def settle(self, recipe: Recipe, examples: Examples, device: str) -> tuple[Recipe, AudioReader]:
        """Hears a few sounds and settles sample rate, duration, network and front end."""
        assert isinstance(recipe, AudioRecipe)
        recipe = recipe.model_copy(deep=True)
        facts = survey(examples)
        rate, seconds = auto_settings(facts)
        fill(recipe.audio, sample_rate=rate, duration=seconds)
        rate, seconds = int(recipe.audio.sample_rate), float(recipe.audio.duration)
        _settle_network(recipe)
        settle_frontend(recipe.audio)
        self._settle_windows(recipe.audio, [one.seconds for one in facts])
        audio = recipe.audio
        return recipe, AudioReader(
            rate, round(rate * seconds), audio.fit, audio.channel, bool(audio.windows), audio.overlap
        )

    def _settle_windows(self, audio: Audio, lengths: Sequence[float]) -> None:
        """Whether recordings are cut, and into how many windows a mean one."""
        window = float(audio.duration)
        chosen = audio.fit in ("crop", "loudest")  # which part of a long recording is heard
        fill(audio, windows=not chosen and bool(np.median(lengths) >= 2 * window))
        if audio.windows:
            self._windows = float(np.mean([len(starts(length, window, audio.overlap)) for length in lengths]))

    def settle_training(self, recipe: Recipe, count: int, network: nn.Module, gentle: bool) -> None:
        """Many epochs for few sounds; a gentle rate for weights that know such data already."""
        assert isinstance(recipe, AudioRecipe)
        check_mixing(recipe.training, str(network.loss), ["mixup"] if recipe.augment.mixup else [])
        count = round(count * self._windows)
        batch_size = int(np.clip(2 ** round(np.log2(max(count, 1) / 50)), 8, 32))
        fill_training(
            recipe.training,
            epochs=int(np.clip(round(100_000 / max(count, 1)), 15, 50)),
            batch_size=batch_size,
            lr=3e-4 if gentle else (2e-3 if stands_high_rates(network) else 2e-4) * batch_size / 32,
            weight_decay=0.05,
            label_smoothing=0.1,
            clip=0.0,
        )

    def network(self, recipe: Recipe, reader: Any, classes: int) -> Classifier:
        """The front end and the architecture that the recipe names."""
        assert isinstance(recipe, AudioRecipe)
        frontend = build_frontend(recipe.audio, reader.samples)
        channels, *size = frontend(torch.zeros(1, reader.samples)).shape[1:]
        network = build_audio(
            recipe.model.arch, classes=classes, channels=channels, size=tuple(size), options=recipe.model.options
        )
        return Classifier(frontend, network)

    def calibrate(self, model: Classifier, inputs: Tensor) -> None:
        """Sets the front end's mean and deviation, from waveforms [batch, samples]."""
        assert isinstance(model.frontend, FrontEnd)
        model.frontend.fit([inputs])

    def augmentation(self, recipe: Recipe) -> "Augmenting":
        """Changes of the waveform, mixtures; then masks on the spectrogram, where there is one."""
        assert isinstance(recipe, AudioRecipe)
        settings = recipe.augment
        masks = SpecAugment(settings.time_mask, settings.frequency_mask)
        return Augmenting(
            PitchAndTempo(int(recipe.audio.sample_rate)) if settings.paper else None,
            [
                *([Speed(settings.speed)] if settings.speed else []),
                *([Equalizer(settings.equalizer)] if settings.equalizer else []),
                AudioAugmentation(settings.gain, settings.shift, settings.noise, settings.snr_range),
            ],
            Mixup(settings.mixup),
            None if recipe.audio.frontend == "waveform" else masks,
        )


class Augmenting:
    """Augmentation of waveforms and of their spectrograms.

    Args:
        in_turn: what is done to each sound in every other epoch; None for nothing.
        waveform: what is done to each sound, in this order.
        mixing: what is done with the sounds of a batch.
        spectrogram: None where the network hears the waveforms themselves.
    """

    def __init__(
        self,
        in_turn: PitchAndTempo | None,
        waveform: Sequence[nn.Module],
        mixing: Mixup,
        spectrogram: SpecAugment | None,
    ) -> None:
        self.in_turn = in_turn
        self.waveform = waveform
        self.mixing = mixing
        self.spectrogram = spectrogram

    def inputs(self, x: Tensor, generator: torch.Generator, turn: Tensor | None = None) -> Tensor:
        """Waveforms, [batch, samples]."""
        if self.in_turn is not None:
            x = self.in_turn(x, generator, turn)
        for change in self.waveform:
            x = change(x, generator)
        return x

    def mix(self, x: Tensor, truth: Tensor, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Waveforms, [batch, samples], and their classes."""
        laid_over: tuple[Tensor, Tensor] = self.mixing(x, truth, classes, generator)
        return laid_over

    def features(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Spectrograms, [batch, channels, bands, frames], or waveforms, [batch, 1, samples], which stay as they are."""
        changed: Tensor = x if self.spectrogram is None else self.spectrogram(x, generator)
        return changed


def survey(examples: Sequence[Example]) -> list[AudioFacts]:
    """What an evenly spread few of the sounds are like; the broken ones are passed over.

    Raises:
        UsageError: none of them can be read.
    """
    step = max(1, len(examples) // SURVEYED)
    facts, reasons = [], []
    for example in examples[::step]:
        try:
            facts.append(inspect(example.load()))
        except InputError as error:
            reasons.append(f"{example.name}: {error}")
    if not facts:
        raise UsageError(f"none of the sounds can be read; the first: {reasons[0]}")
    return facts


def _settle_network(recipe: AudioRecipe) -> None:
    """Settles architecture and front end, which depend on each other.

    Raises:
        UsageError: they do not fit.
    """
    audio = recipe.audio
    fill(recipe.model, arch="wave1d" if audio.frontend == "waveform" else "densenet121")
    if is_pattern(recipe.model.arch):  # it takes one axis or two, and so whatever was asked for
        fill(audio, frontend="logmel")
        return
    hears = "waveform" if len(own_size(recipe.model.arch, "audio")) == 1 else "logmel"
    fill(audio, frontend=hears)
    if (audio.frontend == "waveform") != (hears == "waveform"):
        takes = "waveform" if hears == "waveform" else "spectrograms, such as logmel"
        raise UsageError(f"audio.frontend is {audio.frontend}, but {recipe.model.arch} takes {takes}")
