"""The sections of a recipe that belong to one pipeline: how it reads, and what it augments."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Auto = Literal["auto"]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Ratio = Annotated[float, Field(ge=-20, le=100)]  # decibels


class Section(BaseModel):
    """A part of a recipe. A key that does not exist is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, validate_default=True)


class Image(Section):
    """How pictures are read.

    `auto` for the size: the data's own, where all agree, else 224 at most. A network that starts from published weights
    sees photographs in the weights' size and with their interpolation. Of the colours, `auto` is `gray` where all
    pictures are, else `rgb`; the others are converted from RGB inside the graph. In prediction, `views` are mirrored
    (`flip`) and shifted by a pixel too (`shift`), and their mean is the answer.
    """

    size: Annotated[int, Field(ge=4, le=4096)] | tuple[int, int] | Auto = "auto"
    color: Literal["auto", "rgb", "gray", "lab", "luv", "hsv", "hcl", "ycbcr", "xyz", "cmyk"] = "auto"
    resize: Literal["squash", "crop", "pad"] = "crop"
    interpolation: Literal["auto", "nearest", "bilinear", "bicubic", "lanczos"] = "auto"
    views: Literal["none", "flip", "shift"] = "none"


class Mel(Section):
    """Mel bands, of all front ends that have them; lengths in samples, frequencies in hertz."""

    n_mels: Annotated[int, Field(ge=1)] | Auto = "auto"
    n_fft: Annotated[int, Field(ge=2)] | Auto = "auto"
    window: Annotated[int, Field(ge=2)] | Auto = "auto"
    hop: Annotated[int, Field(ge=1)] | Auto = "auto"
    f_min: Annotated[float, Field(ge=0)] | Auto = "auto"
    f_max: Annotated[float, Field(gt=0)] | Auto = "auto"
    scale: Literal["auto", "slaney", "htk"] = "auto"
    norm: Literal["auto", "slaney", "none"] = "auto"


class Mel3(Section):
    """Three log-mel spectrograms as three channels: how many frames each is resized to."""

    frames: Annotated[int, Field(ge=1)] | Auto = "auto"


class Pcen(Section):
    """Per-channel energy normalisation; the time constant of the running mean in seconds."""

    gain: Annotated[float, Field(ge=0, le=1)] = 0.98
    bias: Annotated[float, Field(gt=0)] = 2.0
    power: Annotated[float, Field(gt=0, le=1)] = 0.5
    time_constant: Annotated[float, Field(gt=0)] = 0.4


class Mfcc(Section):
    """Mel-frequency cepstral coefficients: how many are kept."""

    n_mfcc: Annotated[int, Field(ge=1)] = 40


class Cqt(Section):
    """The constant-Q transform; the hop in samples, the lowest band in hertz."""

    hop: Annotated[int, Field(ge=1)] | Auto = "auto"
    f_min: Annotated[float, Field(gt=0)] | Auto = "auto"
    n_bins: Annotated[int, Field(ge=1)] | Auto = "auto"
    bins_per_octave: Annotated[int, Field(ge=1, le=96)] = 12


class Audio(Section):
    """How sounds are read; the sample rate in hertz, the duration in seconds, the overlap a share of a window.

    Windows: `auto` cuts recordings where half of them last at least twice the duration, unless `fit` says which part.
    """

    sample_rate: Annotated[int, Field(ge=1000, le=192_000)] | Auto = "auto"
    duration: Annotated[float, Field(gt=0)] | Auto = "auto"
    channel: Literal["mix", "left", "right"] | Annotated[int, Field(ge=1)] = "mix"
    fit: Literal["pad", "repeat", "crop", "loudest", "stretch"] = "pad"
    windows: bool | Auto = "auto"
    overlap: Fraction = 0.5
    frontend: Literal["auto", "logmel", "mel3", "pcen", "mfcc", "cqt", "waveform"] = "auto"
    mel: Mel = Mel()
    mel3: Mel3 = Mel3()
    pcen: Pcen = Pcen()
    mfcc: Mfcc = Mfcc()
    cqt: Cqt = Cqt()


class Vocabulary(Section):
    """Which words of the training texts get a vector of their own."""

    min_count: Annotated[int, Field(ge=1)] = 1
    max_size: Annotated[int, Field(ge=1)] = 100_000


class Embed(Section):
    """How word vectors are learned from texts alone. `auto`: the less text, the more epochs."""

    method: Literal["skipgram", "cbow", "fasttext"] = "skipgram"
    length: Annotated[int, Field(ge=1)] = 100
    window: Annotated[int, Field(ge=1)] = 5
    min_count: Annotated[int, Field(ge=1)] = 5
    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"


class OwnVectors(Embed):
    """How `vectors: train` learns them from the training texts; every word of these gets one."""

    min_count: Annotated[int, Field(ge=1)] = 1


class Text(Section):
    """How texts are read; lengths in tokens, of longer ones `truncate` is kept, the overlap a share of a window.

    `auto`: what the network is made for; vectors from a file learn on.
    """

    tokenizer: Literal["auto", "unicode", "whitespace", "char", "byte", "kim", "kim-cased"] = "auto"
    max_length: Annotated[int, Field(ge=1)] | Auto = "auto"
    truncate: Literal["head", "tail", "middle", "windows"] = "head"
    overlap: Fraction = 0.5
    vocabulary: Vocabulary = Vocabulary()
    vectors: str | None = None
    embed: OwnVectors = OwnVectors()
    vectors_mode: Literal["auto", "rand", "static", "nonstatic", "multichannel"] = "auto"
    unknown: Literal["auto", "unk", "hash", "vector"] = "auto"
    extend_vocabulary: bool | Auto = "auto"

    @model_validator(mode="after")
    def _windows_overlap(self) -> "Text":
        if self.overlap != 0.5 and self.truncate != "windows":
            raise ValueError("overlap is for windows of long texts; set text.truncate to windows, or leave it out")
        return self

    @model_validator(mode="after")
    def _vectors_and_their_mode_agree(self) -> "Text":
        if self.vectors is None and self.vectors_mode not in ("auto", "rand"):
            raise ValueError(
                f"vectors_mode {self.vectors_mode} needs vectors; name a file, or train, by text.vectors (--vectors)"
            )
        if self.vectors is None and (self.unknown == "vector" or self.extend_vocabulary is True):
            key = "unknown vector" if self.unknown == "vector" else "extend_vocabulary"
            raise ValueError(f"{key} needs vectors; name a file by text.vectors (--vectors)")
        if self.vectors is not None and self.vectors_mode == "rand":
            raise ValueError("vectors_mode rand leaves the file of vectors unused; leave out text.vectors or the mode")
        return self


class Tagging(Section):
    """How words are tagged: the words that the network sees at once, an odd number; the characters that it sees of
    each; vectors of words from a file, which learn on.
    """

    window: Annotated[int, Field(ge=1)] = 5
    word_length: Annotated[int, Field(ge=2)] = 20
    vocabulary: Vocabulary = Vocabulary()
    vectors: str | None = None


class RandAugment(Section):
    """n operations (0: none) of strength m, 0 to 30."""

    n: Annotated[int, Field(ge=0, le=14)] = 0
    m: Annotated[float, Field(ge=0, le=30)] = 9.0


class ImageAugment(Section):
    """Per picture, in training only. `auto`: what the size and the colours of the data suggest.

    crop, blur and cutout in pixels; rotation and shear in degrees; hue a share of the circle of colours; erasing a
    chance; mixup and cutmix the alpha of their Beta distributions; resized_crop the smallest share of the area, and
    aspect how many times it may be as long as wide; the others shares. 0 is off.
    """

    flip: bool | Literal["alternating"] | Auto = "auto"
    flip_vertical: bool = False
    crop: Annotated[int, Field(ge=0)] | Auto = "auto"
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    shift: Fraction = 0.0
    zoom: Fraction = 0.0
    shear: Annotated[float, Field(ge=0, le=80)] = 0.0
    resized_crop: Annotated[float, Field(ge=0, le=1)] = 0.0
    aspect: Annotated[float, Field(ge=1, le=10)] = 4 / 3
    randaugment: RandAugment = RandAugment()
    trivialaugment: bool = False
    jitter: Fraction = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    blur: Annotated[float, Field(ge=0, le=20)] = 0.0
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    cutout: Annotated[int, Field(ge=0)] = 0
    erasing: Annotated[float, Field(ge=0, le=1)] = 0.0
    mixup: Annotated[float, Field(ge=0, le=100)] = 0.0
    cutmix: Annotated[float, Field(ge=0, le=100)] = 0.0


class AudioAugment(Section):
    """Per sound, in training only.

    gain and equalizer in decibels; noise a chance, and snr its signal-to-noise ratio in decibels, one or the lowest and
    the highest, between which it is drawn; mixup the alpha of its Beta distribution; paper the pitch and the
    tempo of Palanisamy et al. 2020, in every other epoch; the others shares of the speed, the clip or the axis.
    """

    gain: Annotated[float, Field(ge=0, le=60)] = 6.0
    shift: Fraction = 0.1
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    snr: Ratio | tuple[Ratio, Ratio] = (5.0, 30.0)
    equalizer: Annotated[float, Field(ge=0, le=24)] = 0.0
    speed: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    paper: bool = False
    mixup: Annotated[float, Field(ge=0, le=100)] = 0.0
    time_mask: Fraction = 0.1
    frequency_mask: Fraction = 0.1

    @property
    def snr_range(self) -> tuple[float, float]:
        """The lowest and the highest ratio, in decibels."""
        return self.snr if isinstance(self.snr, tuple) else (self.snr, self.snr)

    @model_validator(mode="after")
    def _noise_has_its_ratio(self) -> "AudioAugment":
        lowest, highest = self.snr_range
        if lowest > highest:
            raise ValueError(f"snr goes from the lowest ratio to the highest: [{highest:g}, {lowest:g}]")
        if self.snr_range != (5.0, 30.0) and not self.noise:
            raise ValueError("snr has no effect without noise; set augment.noise, its chance, to 1 for every sound")
        return self


class TextAugment(Section):
    """Per text, in training only: the share of words that become unknown, change places, or become words with near
    vectors; of words that occur n times, rare_dropout / (rare_dropout + n) become unknown, where that is more; mixup is
    the alpha of its Beta distribution.
    """

    word_dropout: Fraction = 0.05
    rare_dropout: Annotated[float, Field(ge=0, le=100)] = 1.0
    swap: Fraction = 0.0
    synonym: Fraction = 0.0
    mixup: Annotated[float, Field(ge=0, le=100)] = 0.0


class TaggingAugment(Section):
    """In training only: the share of words that become unknown."""

    word_dropout: Fraction = 0.05
