"""The catalogue: every architecture by its name, and how one is built. Importing this page imports no torch."""

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from multicnn.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from multicnn.blocks.backbone import Backbone
    from multicnn.text.architectures.text_backbone import TextBackbone

Kind = Literal["image", "audio", "text"]

IMAGE = {
    "lenet": "multicnn.image.architectures.lenet:LeNet",
    "linear": "multicnn.image.architectures.linear:LinearClassifier",
    "alexnet": "multicnn.image.architectures.alexnet:AlexNet",
    "zfnet": "multicnn.image.architectures.zfnet:ZFNet",
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
    "resnet9": "multicnn.image.architectures.resnet9:ResNet9",
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
}

TABLE: dict[str, dict[str, str]] = {
    "image": IMAGE,
    "audio": IMAGE,  # a spectrogram is a picture of one channel
    "text": {
        "textcnn": "multicnn.text.architectures.textcnn:TextCNN",
        "dcnn": "multicnn.text.architectures.dcnn:DCNN",
        "charcnn": "multicnn.text.architectures.charcnn:CharCNN",
        "vdcnn": "multicnn.text.architectures.vdcnn:VDCNN",
        "textcnn_lstm": "multicnn.text.architectures.textcnn_lstm:TextCNNLSTM",
        "textcnn_gru": "multicnn.text.architectures.textcnn_gru:TextCNNGRU",
    },
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
    """Builds a network for pictures or spectrograms, [batch, channels, height, width] to logits [batch, classes].

    Args:
        name: from the table, torchvision:NAME (which has no `features`), or timm:NAME with the extra.
        classes: how many there are.
        channels: of the input.
        size: the input's height and width.
        options: the architecture's own settings: keyword arguments of its class.

    Raises:
        UsageError: no such architecture or option, a value that an option does not take, or inputs too small for it.
    """
    options = options or {}
    given = {"classes": classes, "channels": channels, "size": size}
    if _other(name):
        network: Backbone = _build_other(name, given, options)
    else:
        network = _build(name, _class("image", name), given, options)
    _try(name, network, channels, size)
    return network


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
    if kind.word_vectors:
        given["vectors"] = vectors
    if kind.fixed_length:
        given["length"] = length or kind.own_size[0]
    return _build(name, kind, given, options or {})


def text_class(name: str) -> "type[TextBackbone]":
    """The class of an architecture for texts, which says how it wants them to be read.

    Raises:
        UsageError: no such architecture.
    """
    kind: type[TextBackbone] = _class("text", name)
    return kind


def fitting_size(
    name: str, size: tuple[int, int], *, channels: int = 3, options: dict[str, Any] | None = None
) -> tuple[int, int]:
    """The input size to choose for pictures of some size: theirs, where the network takes it, else the network's own.

    Raises:
        UsageError: as in `build_image`, whatever the size.
    """
    try:
        build_image(name, classes=2, channels=channels, size=size, options=options)
    except UsageError:
        own = _own_size(name)
        build_image(name, classes=2, channels=channels, size=own, options=options)
        return own
    return size


def _class(kind: Kind, name: str) -> Any:
    if name not in TABLE[kind]:
        near = did_you_mean(name, TABLE[kind]) or f"; there are {', '.join(TABLE[kind])}"
        raise UsageError(f"there is no {kind} architecture {name}{near}")
    module, attribute = TABLE[kind][name].split(":")
    return getattr(import_module(module), attribute)


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


def _own_size(name: str) -> tuple[int, int]:
    if _other(name):
        size: tuple[int, int] = _other(name).own_size(_other_name(name))
        return size
    own: tuple[int, int] = _class("image", name).own_size
    return own


def _try(name: str, network: "Backbone", channels: int, size: tuple[int, int]) -> None:
    """Runs the network on the shape alone, so that a size that it does not take is known before anything is trained."""
    import torch

    from multicnn.blocks.arithmetic import run_on_meta

    training = network.training
    try:
        run_on_meta(network.eval(), torch.empty(1, channels, *size, device="meta"))
    except (RuntimeError, ValueError, AssertionError) as error:
        own = " x ".join(map(str, _own_size(name)))
        raise UsageError(f"{name} does not take inputs of {size[0]} x {size[1]}; its own size is {own}") from error
    finally:
        network.train(training)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
