"""The catalogue: every architecture by its name, and how one is built. Importing this page imports no torch."""

import inspect
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from multicnn.errors import UsageError, did_you_mean
from multicnn.language.tree import is_pattern

if TYPE_CHECKING:
    from multicnn.blocks.backbone import Backbone
    from multicnn.text.architectures.text_backbone import TextBackbone

Kind = Literal["image", "audio", "text"]
Sizes = TypeVar("Sizes", bound=tuple[int, ...])

IMAGE = {
    "lenet": "multicnn.image.architectures.lenet:LeNet",
    "linear": "multicnn.image.architectures.linear:LinearClassifier",
    "alexnet": "multicnn.image.architectures.alexnet:AlexNet",
    "zfnet": "multicnn.image.architectures.zfnet:ZFNet",
    "sppnet": "multicnn.image.architectures.sppnet:SPPNet",
    "nin": "multicnn.image.architectures.nin:NiN",
    "allconv": "multicnn.image.architectures.allconv:AllConv",
    "vgg11": "multicnn.image.architectures.vgg:VGG11",
    "vgg11_bn": "multicnn.image.architectures.vgg:VGG11BN",
    "vgg13": "multicnn.image.architectures.vgg:VGG13",
    "vgg13_bn": "multicnn.image.architectures.vgg:VGG13BN",
    "vgg16": "multicnn.image.architectures.vgg:VGG16",
    "vgg16_bn": "multicnn.image.architectures.vgg:VGG16BN",
    "vgg19": "multicnn.image.architectures.vgg:VGG19",
    "vgg19_bn": "multicnn.image.architectures.vgg:VGG19BN",
    "googlenet": "multicnn.image.architectures.googlenet:GoogLeNet",
    "inception_v3": "multicnn.image.architectures.inception_v3:InceptionV3",
    "inception_v4": "multicnn.image.architectures.inception_v4:InceptionV4",
    "inception_resnet_v2": "multicnn.image.architectures.inception_resnet_v2:InceptionResNetV2",
    "resnet9": "multicnn.image.architectures.resnet9:ResNet9",
    "airbench": "multicnn.image.architectures.airbench:AirBench",
    "resnet18": "multicnn.image.architectures.resnet:ResNet18",
    "resnet34": "multicnn.image.architectures.resnet:ResNet34",
    "resnet50": "multicnn.image.architectures.resnet:ResNet50",
    "resnet101": "multicnn.image.architectures.resnet:ResNet101",
    "resnet152": "multicnn.image.architectures.resnet:ResNet152",
    "resnet20": "multicnn.image.architectures.resnet_cifar:ResNet20",
    "resnet32": "multicnn.image.architectures.resnet_cifar:ResNet32",
    "resnet44": "multicnn.image.architectures.resnet_cifar:ResNet44",
    "resnet56": "multicnn.image.architectures.resnet_cifar:ResNet56",
    "resnet110": "multicnn.image.architectures.resnet_cifar:ResNet110",
    "densenet121": "multicnn.image.architectures.densenet:DenseNet121",
    "densenet161": "multicnn.image.architectures.densenet:DenseNet161",
    "densenet169": "multicnn.image.architectures.densenet:DenseNet169",
    "densenet201": "multicnn.image.architectures.densenet:DenseNet201",
    "densenet_bc_100_12": "multicnn.image.architectures.densenet_cifar:DenseNetBC100",
    "densenet_bc_190_40": "multicnn.image.architectures.densenet_cifar:DenseNetBC190",
    "densenet_bc_250_24": "multicnn.image.architectures.densenet_cifar:DenseNetBC250",
    "squeezenet1_0": "multicnn.image.architectures.squeezenet:SqueezeNet1_0",
    "squeezenet1_1": "multicnn.image.architectures.squeezenet:SqueezeNet1_1",
    "mobilenet_v2": "multicnn.image.architectures.mobilenet:MobileNetV2",
    "convnext_tiny": "multicnn.image.architectures.convnext:ConvNeXtTiny",
    "capsnet": "multicnn.image.architectures.capsnet:CapsNet",
}

AUDIO = {
    "wave1d": "multicnn.audio.architectures.wave1d:Wave1d",
    "cnn14": "multicnn.audio.architectures.cnn14:Cnn14",
}

TABLE: dict[str, dict[str, str]] = {
    "image": IMAGE,
    "audio": IMAGE | AUDIO,  # a spectrogram is a picture of one channel
    "text": {
        "textcnn": "multicnn.text.architectures.textcnn:TextCNN",
        "textcnn_nb": "multicnn.text.architectures.textcnn_nb:TextCNNNB",
        "dcnn": "multicnn.text.architectures.dcnn:DCNN",
        "charcnn": "multicnn.text.architectures.charcnn:CharCNN",
        "vdcnn": "multicnn.text.architectures.vdcnn:VDCNN",
        "textcnn_lstm": "multicnn.text.architectures.textcnn_lstm:TextCNNLSTM",
        "textcnn_gru": "multicnn.text.architectures.textcnn_gru:TextCNNGRU",
    },
}

# What tags words. The networks of the table answer once for each text.
TAGGERS = {"tagcnn": "multicnn.text.tagging.network:TagCNN"}

# What a pattern becomes in each pipeline.
PATTERNS = {
    "image": "multicnn.language.network:PatternNetwork",
    "audio": "multicnn.language.network:PatternNetwork",
    "text": "multicnn.text.architectures.pattern:TextPattern",
}

# Whatever the table lacks: torchvision:NAME, timm:NAME. Each module has Classifier, names, keywords and own_size.
OTHERS = {
    "torchvision": "multicnn.image.architectures.from_torchvision",
    "timm": "multicnn.image.architectures.from_timm",
}


def names(kind: Kind) -> list[str]:
    """The architectures of a pipeline, in the catalogue's order; for pictures and sounds torchvision:NAME adds more."""
    return list(TABLE[kind])


def build_image(
    name: str,
    *,
    classes: int,
    channels: int = 3,
    size: tuple[int, int] = (224, 224),
    options: dict[str, Any] | None = None,
) -> "Backbone":
    """Builds a network for pictures, [batch, channels, height, width] to logits [batch, classes].

    Args:
        name: from the table, torchvision:NAME (which has no `features`), timm:NAME with the extra, or a pattern
            (docs/language.md).
        classes: how many there are.
        channels: of the input.
        size: the input's height and width; a pattern takes other numbers of axes too.
        options: the architecture's own settings: keyword arguments of its class, or what names in a pattern stand for.

    Raises:
        UsageError: no such architecture or option, a value that an option does not take, or inputs too small for it.
    """
    return _build_for_size("image", name, classes, channels, size, options or {})


def build_audio(
    name: str,
    *,
    classes: int,
    channels: int = 1,
    size: tuple[int, ...],
    options: dict[str, Any] | None = None,
) -> "Backbone":
    """Builds a network for sounds, [batch, channels, mels, frames] or [batch, channels, samples] to logits.

    Args:
        name: as in `build_image`; the table has more.
        classes: how many there are.
        channels: of the input.
        size: the spectrogram's (mels, frames), or the waveform's (samples,).
        options: the architecture's own settings: keyword arguments of its class.

    Raises:
        UsageError: as in `build_image`, or a network for spectrograms is to hear a waveform, or the other way round.
    """
    return _build_for_size("audio", name, classes, channels, size, options or {})


def build_text(
    name: str,
    *,
    classes: int,
    vocabulary_size: int,
    vectors: str = "rand",
    length: int | None = None,
    options: dict[str, Any] | None = None,
) -> "Backbone":
    """Builds a network for texts, token numbers [batch, tokens] to logits [batch, classes].

    Args:
        name: from the table.
        classes: how many there are.
        vocabulary_size: how many numbers there are, with padding (0) and unknown tokens (1).
        vectors: how word vectors are learned, a mode of `multicnn.text.architectures.embedding`; for a network that has
            them.
        length: tokens of every text, for a network that fixes it; None for its paper's.
        options: the architecture's own settings: keyword arguments of its class.

    Raises:
        UsageError: no such architecture or option, or a value that an option does not take.
    """
    kind = text_class(name)
    given: dict[str, Any] = {"classes": classes, "vocabulary_size": vocabulary_size}
    if is_pattern(name):
        return _build_pattern(name, kind, {**given, "vectors": vectors}, options or {})
    if kind.word_vectors:
        given["vectors"] = vectors
    if kind.fixed_length:
        given["length"] = length or kind.own_size[0]
    return _build(name, kind, given, options or {})


def build_tagger(
    name: str, *, classes: int, words: int, characters: int, window: int, options: dict[str, Any] | None = None
) -> "Backbone":
    """Builds a network that tags words, [batch, window, 1 + characters] to logits [batch, classes].

    Args:
        name: from `TAGGERS`.
        classes: how many tags there are.
        words: how many numbers of words, with padding (0) and the unknown word (1).
        characters: how many numbers of characters, likewise.
        window: how many words the network sees.
        options: the architecture's own settings: keyword arguments of its class.

    Raises:
        UsageError: no such architecture or option, or a value that an option does not take.
    """
    if name not in TAGGERS:
        raise UsageError(f"{name} does not tag words; there is {', '.join(TAGGERS)}")
    given = {"classes": classes, "words": words, "characters": characters, "window": window}
    return _build(name, _load(TAGGERS[name]), given, options or {})


def text_class(name: str) -> "type[TextBackbone]":
    """The class of an architecture for texts, which says how it wants them to be read.

    Raises:
        UsageError: no such architecture.
    """
    kind: type[TextBackbone] = _class("text", name) if not is_pattern(name) else _load(PATTERNS["text"])
    return kind


def fitting_size(
    name: str, size: Sizes, *, kind: Kind = "image", channels: int = 3, options: dict[str, Any] | None = None
) -> Sizes:
    """The input size to choose for data of some size: theirs, where the network takes it, else the network's own.

    Raises:
        UsageError: as in `build_image`, whatever the size.
    """
    try:
        _build_for_size(kind, name, 2, channels, size, options or {})
    except UsageError:
        if is_pattern(name):
            raise
        own: Sizes = own_size(name, kind)
        _build_for_size(kind, name, 2, channels, own, options or {})
        return own
    return size


def own_size(name: str, kind: Kind) -> Any:
    """The input size of an architecture's paper: one number for each axis of places.

    Raises:
        UsageError: the pipeline has no such architecture.
    """
    return _other(name).own_size(_other_name(name)) if _other(name) else _class(kind, name).own_size


def _build_for_size(
    kind: Kind, name: str, classes: int, channels: int, size: tuple[int, ...], options: dict[str, Any]
) -> "Backbone":
    """A network of the image or the audio pipeline, tried on the input's shape."""
    if is_pattern(name):
        rounds = [kind == "audio" and axis == len(size) - 1 for axis in range(len(size))]  # along time
        given = {"classes": classes, "channels": channels, "size": size, "rounds": rounds}
        return _build_pattern(name, _load(PATTERNS[kind]), given, options)
    own = own_size(name, kind)
    if len(own) != len(size):
        raise UsageError(f"{name} takes inputs with {_axes(own)}, not with {_axes(size)}")
    given = {"classes": classes, "channels": channels, "size": size}
    if _other(name):
        network: Backbone = _build_other(name, given, options)
    else:
        network = _build(name, _class(kind, name), given, options)
    _try(name, network, channels, size, own)
    return network


def _class(kind: Kind, name: str) -> Any:
    if name not in TABLE[kind]:
        near = did_you_mean(name, TABLE[kind]) or f"; there are {', '.join(TABLE[kind])}"
        near = "; it tags words, which --task tokens asks for" if name in TAGGERS else near
        raise UsageError(f"there is no {kind} architecture {name}{near}")
    return _load(TABLE[kind][name])


def _load(where: str) -> Any:
    """A class from `module:name`."""
    module, attribute = where.split(":")
    return getattr(import_module(module), attribute)


def _build_pattern(pattern: str, kind: Any, given: dict[str, Any], options: dict[str, Any]) -> "Backbone":
    """A network from a pattern: options that its class does not know are what names in the pattern stand for."""
    known = {key: one.default for key, one in inspect.signature(kind).parameters.items()}
    settings = {key: value for key, value in options.items() if key in known and key not in (*given, "variables")}
    variables = {key: value for key, value in options.items() if key not in settings}
    for key, value in variables.items():
        if not re.search(rf"(?<![a-z]){re.escape(key)}(?![a-z])", pattern, re.IGNORECASE):
            raise UsageError(f"nothing in the pattern is called {key}; leave out model.options.{key}")
        if type(value) is not int or value < 0:
            raise UsageError(f"a name in a pattern stands for 0, 1, 2, ..., so model.options.{key} is not {value!r}")
    _check_kinds("a pattern", settings, known)
    try:
        network: Backbone = kind(pattern, **given, **settings, variables=variables)
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"the pattern cannot be built: {_first_line(error)}") from error
    return network


def _build(name: str, kind: Any, given: dict[str, Any], options: dict[str, Any]) -> "Backbone":
    defaults = {key: one.default for key, one in inspect.signature(kind).parameters.items() if key not in given}
    _check_names(name, options, list(defaults))
    _check_kinds(name, options, defaults)
    try:
        network: Backbone = kind(**given, **options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"{name}: {_first_line(error)}") from error
    return network


def _other(name: str) -> Any:
    """The module of another library's networks, where the name has its prefix; else None."""
    library, colon, _ = name.partition(":")
    return import_module(OTHERS[library]) if colon and library in OTHERS else None


def _build_other(name: str, given: dict[str, Any], options: dict[str, Any]) -> Any:
    theirs, short = _other(name), _other_name(name)
    known = theirs.keywords(short) if options else None
    if known is not None:
        _check_names(name, options, known)
    try:
        return theirs.Classifier(short, **given, **options)
    except (ValueError, TypeError, RuntimeError, AssertionError) as error:
        raise UsageError(f"{name}: {_first_line(error)}") from error


def _other_name(name: str) -> str:
    """The name behind the prefix, once the library is known to have it."""
    library, _, short = name.partition(":")
    there: list[str] = _other(name).names()
    if short not in there:
        raise UsageError(f"{library} has no classifier {short}{did_you_mean(short, there)}")
    return short


def _check_names(name: str, options: dict[str, Any], known: list[str]) -> None:
    for key in options:
        if key not in known:
            near = did_you_mean(key, known) or f"; it has {', '.join(known) or 'none'}"
            raise UsageError(f"{name} has no option {key}{near}")


def _check_kinds(name: str, options: dict[str, Any], defaults: dict[str, Any]) -> None:
    """An option takes what its default is: a number, a whole number, a word, a truth value. Lists check themselves."""
    for key, value in options.items():
        wanted = type(defaults[key])
        fits = type(value) is wanted or (wanted is float and type(value) is int)
        if wanted in (bool, int, float, str) and not fits:
            raise UsageError(f"{name}: {key} is like {defaults[key]!r}, not like {value!r}")


def _try(name: str, network: "Backbone", channels: int, size: tuple[int, ...], own: tuple[int, ...]) -> None:
    """Runs the network on the shape alone, so that a size that it does not take is known before anything is trained."""
    import torch

    from multicnn.blocks.arithmetic import run_on_meta

    training = network.training
    try:
        run_on_meta(network.eval(), torch.empty(1, channels, *size, device="meta"))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UsageError(f"{name} does not take inputs of {_by(size)}; its own size is {_by(own)}") from error
    finally:
        network.train(training)


def _axes(size: tuple[int, ...]) -> str:
    """2 axes, such as 64 x 101."""
    return f"{len(size)} {'axis' if len(size) == 1 else 'axes'} ({_by(size)})"


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
