"""What to do: the typed configuration tree behind recipe files, `--set` and every option of `multicnn train`."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from multicnn.errors import UsageError
from multicnn.recipe_sections import (
    Audio,
    AudioAugment,
    Auto,
    Fraction,
    Image,
    ImageAugment,
    Section,
    Tagging,
    TaggingAugment,
    Text,
    TextAugment,
)

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds in `90s`, `10m` or `2h`.

    Raises:
        ValueError: it is not a positive number with one of the three units.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip())
    if not match or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not a time such as 90s, 10m or 2h")
    return float(match[1]) * UNITS[match[2]]


def _checked_duration(text: str | None) -> str | None:
    if text is not None:
        parse_duration(text)
    return text


def _fraction_or_path(value: Any) -> Any:
    """`0.2` from a recipe or the command line is a fraction; whatever is no number is a path."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    if not 0 < number < 1:
        raise ValueError(f"a fraction lies between 0 and 1, not at {number:g}")
    return number


def _on_or_off(value: Any) -> Any:
    """YAML reads the words `on` and `off` as truth values."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class Data(Section):
    """Which examples, and how they are divided; what is cut is cut by `seed`, or else by the training's.

    cache: `auto`, `on`, `off`, or a folder for decoded pictures and sounds.
    """

    path: str = ""
    root: str | None = None
    validation: Annotated[float | str, BeforeValidator(_fraction_or_path)] = 0.1
    test: str | None = None
    folds: Annotated[int, Field(ge=2)] | Literal["column"] | None = None
    fold: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    text_column: str | None = None
    path_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    fold_column: str | None = None
    group_column: str | None = None
    group_duplicates: bool = True
    cache: Annotated[str, BeforeValidator(_on_or_off), Field(min_length=1)] = "auto"
    workers: int | Auto = "auto"

    @model_validator(mode="after")
    def _fold_needs_both(self) -> "Data":
        if self.fold_column is not None and self.fold is None and self.folds is None:
            raise ValueError("fold_column names the folds, but none is held out; add data.fold (--fold) or data.folds")
        if self.fold_column is not None and isinstance(self.folds, int):
            raise ValueError(f"folds={self.folds} makes new folds; for those of the fold_column say folds=column")
        if self.folds is not None and self.test is not None:
            raise ValueError("each of the folds is the test part in its turn; leave data.test (--test) out")
        return self


class Model(Section):
    """Which network, which weights it starts from, and whether it is folded for prediction."""

    arch: str = "auto"
    weights: str = "auto"
    fold: Annotated[Literal["auto", "on", "off"], BeforeValidator(_on_or_off)] = "auto"
    options: dict[str, Any] = Field(default_factory=dict)


class Training(Section):
    """How the network learns."""

    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"
    time_budget: Annotated[str | None, AfterValidator(_checked_duration)] = None
    batch_size: Annotated[int, Field(ge=1)] | Literal["usual", "auto"] = "usual"  # auto: the largest that fits a GPU
    micro_batch: Annotated[int, Field(ge=0)] = 0  # examples whose gradients are computed at once; 0: the whole batch
    optimizer: Literal["auto", "adamw", "adam", "sgd", "adadelta", "muon"] = "auto"
    lr: Annotated[float, Field(gt=0)] | Literal["auto", "find"] = "auto"
    weight_decay: Annotated[float, Field(ge=0)] | Auto = "auto"
    bias_rate: Annotated[float, Field(gt=0)] = 1.0
    momentum: Fraction | Auto = "auto"
    schedule: Literal["cosine", "linear", "onecycle", "step", "plateau", "constant"] = "cosine"
    warmup: Fraction | Auto = "auto"
    step_size: Annotated[float, Field(gt=0)] | Auto = "auto"
    gamma: Annotated[float, Field(gt=0, lt=1)] | Auto = "auto"
    patience: Annotated[int, Field(ge=1)] | Auto = "auto"
    loss: Literal["auto", "cross_entropy", "hinge", "focal", "margin"] = "auto"
    label_smoothing: Fraction | Auto = "auto"
    class_balance: Literal["none", "weights", "sampling"] = "none"
    ema: Fraction = 0.0
    max_norm: Annotated[float, Field(ge=0)] = 0.0
    freeze: Annotated[int, Field(ge=0)] | Literal["backbone"] = 0
    unfreeze: Annotated[float, Field(ge=0)] = 0.0
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    clip: Annotated[float, Field(ge=0)] | Auto = "auto"
    early_stopping: Annotated[int, Field(ge=0)] = 0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    ensemble: Annotated[int, Field(ge=1)] = 1
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    compile: Annotated[Literal["auto", "on", "off"], BeforeValidator(_on_or_off)] = "auto"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    deterministic: bool = False
    tensorboard: bool = False

    @model_validator(mode="after")
    def _momentum_is_for_sgd_and_muon(self) -> "Training":
        if self.optimizer in ("adamw", "adam", "adadelta") and self.momentum != "auto":
            raise ValueError(
                f"momentum has no effect on {self.optimizer}; set optimizer to sgd or muon, or leave momentum out"
            )
        return self

    @model_validator(mode="after")
    def _schedule_takes_what_it_is_given(self) -> "Training":
        for key, takes in (("step_size", ("step",)), ("gamma", ("step", "plateau")), ("patience", ("plateau",))):
            if getattr(self, key) != "auto" and self.schedule not in takes:
                raise ValueError(f"{key} has no effect on the {self.schedule} schedule, only on {' and '.join(takes)}")
        if self.schedule == "onecycle" and self.warmup != "auto" and not 0 < self.warmup <= 0.5:
            raise ValueError(f"the cycle of onecycle has two sides; warmup lies in 0 to 0.5, not at {self.warmup:g}")
        return self

    @model_validator(mode="after")
    def _smoothing_is_for_cross_entropy(self) -> "Training":
        if self.loss not in ("auto", "cross_entropy") and self.label_smoothing not in ("auto", 0):
            raise ValueError(f"label_smoothing has no effect on the {self.loss} loss; leave one of them out")
        return self


class Recipe(Section):
    """The whole tree for one pipeline; the keys that all share."""

    pipeline: Literal["image", "audio", "text", "tokens"]
    data: Data = Data()
    model: Model = Model()
    training: Training = Training()


class ImageRecipe(Recipe):
    """A recipe for pictures."""

    pipeline: Literal["image"] = "image"
    image: Image = Image()
    augment: ImageAugment = ImageAugment()


class AudioRecipe(Recipe):
    """A recipe for sounds."""

    pipeline: Literal["audio"] = "audio"
    audio: Audio = Audio()
    augment: AudioAugment = AudioAugment()


class WrittenRecipe(Recipe):
    """A recipe for what is written, of which nothing is decoded."""

    unit: ClassVar[str]  # what an example is called

    @model_validator(mode="after")
    def _nothing_is_decoded(self) -> "WrittenRecipe":
        if self.data.cache not in ("auto", "off"):
            raise ValueError(
                f"data.cache keeps decoded pictures and sounds, and has no effect on {self.unit}; leave it out"
            )
        return self


class TextRecipe(WrittenRecipe):
    """A recipe for texts."""

    unit = "texts"

    pipeline: Literal["text"] = "text"
    text: Text = Text()
    augment: TextAugment = TextAugment()

    @model_validator(mode="after")
    def _synonyms_are_found_by_vectors(self) -> "TextRecipe":
        if self.augment.synonym and self.text.vectors is None:
            raise ValueError(
                "augment.synonym finds near words by their vectors; name these by text.vectors (--vectors)"
            )
        return self


class TokensRecipe(WrittenRecipe):
    """A recipe for tags of words: `multicnn train text --task tokens`."""

    unit = "words"

    pipeline: Literal["tokens"] = "tokens"
    text: Tagging = Tagging()
    augment: TaggingAugment = TaggingAugment()


RECIPES: dict[str, type[Recipe]] = {
    "image": ImageRecipe,
    "audio": AudioRecipe,
    "text": TextRecipe,
    "tokens": TokensRecipe,
}


def command_of(pipeline: str) -> str:
    """What stands behind `multicnn train` for a pipeline."""
    return "text --task tokens" if pipeline == "tokens" else pipeline


def fill(section: Section, **values: Any) -> None:
    """Puts values in the place of `auto`; what was asked for stays.

    Args:
        section: changed in place.
        values: one for each key that may be `auto`.
    """
    for key, value in values.items():
        if getattr(section, key) == "auto":
            setattr(section, key, value)


def settle_loss(training: Training, own: str) -> None:
    """Puts the network's own loss in the place of `auto`.

    Args:
        training: changed in place.
        own: the network's.

    Raises:
        UsageError: label smoothing is asked for, and that loss has none.
    """
    fill(training, loss=own)
    if training.loss != "cross_entropy":
        fill(training, label_smoothing=0.0)
        if training.label_smoothing:
            raise UsageError(
                f"training.label_smoothing has no effect on the network's {own} loss; leave it out, or set another loss"
            )


def check_mixing(training: Training, own: str, mixes: Sequence[str]) -> None:
    """Makes sure that the loss takes mixed classes.

    Args:
        training: the recipe's section.
        own: the network's loss.
        mixes: the augmentations that mix, as far as they are on.

    Raises:
        UsageError: classes are to be mixed, and the loss asks for a single true one.
    """
    losses = [loss for loss in (training.loss, own) if loss != "cross_entropy"]
    if mixes and losses:
        raise UsageError(f"augment.{mixes[0]} mixes classes, which needs cross_entropy, not the {losses[0]} loss")


# What each schedule is like where nothing else is asked for. `step` falls twice, as in He et al. 2016.
USUAL_SCHEDULE: dict[str, dict[str, float]] = {
    "cosine": {"warmup": 0.1},
    "linear": {"warmup": 0.1},
    "onecycle": {"warmup": 0.45},
    "step": {"warmup": 0.0, "step_size": 0.34, "gamma": 0.1},
    "plateau": {"warmup": 0.0, "gamma": 0.1, "patience": 5},
    "constant": {"warmup": 0.0},
}


def fill_training(
    training: Training,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    weight_decay: float,
    label_smoothing: float,
    clip: float,
) -> None:
    """Puts values in the place of `auto` for AdamW; a recipe that asks for another optimiser gets its usual ones.

    Adam's decay is that of Palanisamy et al. 2020, "Rethinking CNN Models for Audio Classification"; Adadelta's rate is
    1 (Zeiler 2012 has none); Muon's steps have the size of AdamW's, so that they share what is not named here.

    Args:
        training: changed in place.
        epochs: how often each example is seen.
        batch_size: examples a step, usually.
        lr: AdamW's highest learning rate at that batch size.
        weight_decay: AdamW's.
        label_smoothing: what the true class gives to all.
        clip: the largest norm of a gradient, 0 for any.
    """
    fill(training, optimizer="adamw", epochs=epochs, label_smoothing=label_smoothing, clip=clip)
    if isinstance(training.batch_size, str):
        training.batch_size = batch_size
    usual: dict[str, dict[str, float]] = {
        "sgd": {"lr": 0.1 * int(training.batch_size) / 128, "weight_decay": 5e-4, "momentum": 0.9},
        "adam": {"weight_decay": 1e-3},
        "adadelta": {"lr": 1.0, "weight_decay": 0.0},
        "muon": {"momentum": 0.95},
    }
    fill(training, **usual.get(training.optimizer, {}))
    fill(training, lr=lr, weight_decay=weight_decay)
    fill(training, **USUAL_SCHEDULE[training.schedule])
