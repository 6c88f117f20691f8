"""Which front end a recipe asks for, what its `auto` comes to, and the front end itself."""

from multicnn.audio.frontends.cqt import Cqt, cqt_bins, cqt_defaults
from multicnn.audio.frontends.logmel import LogMel, mel_defaults
from multicnn.audio.frontends.mel3 import Mel3, mel3_defaults, mel3_frames
from multicnn.audio.frontends.mfcc import Mfcc
from multicnn.audio.frontends.pcen import Pcen
from multicnn.audio.frontends.spectrogram import Spectrogram
from multicnn.audio.frontends.waveform import Waveform
from multicnn.errors import UsageError
from multicnn.recipe import fill
from multicnn.recipe_sections import Audio

FrontEnd = Spectrogram | Mel3 | Waveform

# The sections under `audio` that each front end looks at.
SECTIONS: dict[str, tuple[str, ...]] = {
    "logmel": ("mel",),
    "mel3": ("mel", "mel3"),
    "pcen": ("mel", "pcen"),
    "mfcc": ("mel", "mfcc"),
    "cqt": ("cqt",),
    "waveform": (),
}

# What `audio.fit: stretch` cannot do.
UNSTRETCHED = {
    "waveform": "choose pad or repeat",
    "mfcc": "its decibels depend on the loudest of all frames, padding too; choose pad, or logmel",
}


def settle_frontend(audio: Audio) -> None:
    """Puts values in the place of every `auto` that the front end looks at.

    Args:
        audio: changed in place; its front end, sample rate and duration are settled.

    Raises:
        UsageError: something is set that has no effect on this front end, or a frequency cannot be.
    """
    _refuse_without_effect(audio)
    if audio.fit == "stretch" and audio.frontend in UNSTRETCHED:
        raise UsageError(f"audio.fit stretch resizes spectrograms, not {audio.frontend}: {UNSTRETCHED[audio.frontend]}")
    rate, seconds = int(audio.sample_rate), float(audio.duration)
    match audio.frontend:
        case "logmel" | "pcen" | "mfcc":
            fill(audio.mel, **mel_defaults(rate, seconds))
        case "mel3":
            fill(audio.mel, **mel3_defaults(rate))
            fill(audio.mel3, frames=mel3_frames(seconds))
        case "cqt":
            fill(audio.cqt, **cqt_defaults(rate, seconds))
            fill(audio.cqt, n_bins=cqt_bins(rate, float(audio.cqt.f_min), audio.cqt.bins_per_octave))


def build_frontend(audio: Audio, samples: int) -> FrontEnd:
    """The front end of a settled recipe.

    Args:
        audio: the recipe's section.
        samples: the length of every clip.

    Raises:
        UsageError: its settings make no spectrogram.
    """
    rate, mel, stretch = int(audio.sample_rate), audio.mel.model_dump(), audio.fit == "stretch"
    if audio.frontend == "waveform":
        return Waveform()
    if audio.frontend == "mel3":
        windowless = {key: value for key, value in mel.items() if key not in ("window", "hop")}
        return Mel3(rate, samples, frames=int(audio.mel3.frames), stretch=stretch, **windowless)
    front: Spectrogram
    match audio.frontend:
        case "pcen":
            heard = samples + mel["window"] if stretch else samples
            front = Pcen(rate, heard, **audio.pcen.model_dump(), **mel)
        case "mfcc":
            front = Mfcc(rate, **audio.mfcc.model_dump(), **mel)
        case "cqt":
            front = Cqt(rate, **audio.cqt.model_dump())
        case _:
            front = LogMel(rate, **mel)
    if stretch:
        front.stretch_to(samples)
    return front


def _refuse_without_effect(audio: Audio) -> None:
    for section in ("mel", "mel3", "pcen", "mfcc", "cqt"):
        for key in getattr(audio, section).model_dump(exclude_defaults=True):
            if section not in SECTIONS[audio.frontend]:
                raise UsageError(f"audio.{section}.{key} has no effect on the {audio.frontend} front end; leave it out")
            if audio.frontend == "mel3" and key in ("window", "hop"):
                raise UsageError(f"audio.mel.{key} has no effect on mel3, which has three of its own; leave it out")
