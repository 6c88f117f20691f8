"""ImageNet weights, with a server on this machine in the place of the real one."""

import hashlib
import http.server
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from PIL import Image

from multicnn.architectures import build_image
from multicnn.blocks.loading import load_into, open_weights
from multicnn.data import download as downloads
from multicnn.errors import MulticnnError, UsageError
from multicnn.image import weights as weights_page
from multicnn.image.weights import TIMM, download, expected_weights, find_weights, imagenet_weights, published
from multicnn.recipe_files import load_recipe
from multicnn.training.prepare import outline

CONTENT = b"what a server sends " * 1000


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Empty folders for the weights: PyTorch's and ours."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("MULTICNN_CACHE", str(tmp_path / "ours"))
    monkeypatch.delenv("MULTICNN_OFFLINE", raising=False)
    monkeypatch.setenv("MULTICNN_WEIGHTS_URL", "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setattr(torch.hub, "_hub_dir", None)  # what torch.hub.set_dir leaves, if anybody called it
    return tmp_path / "torch" / "hub" / "checkpoints", tmp_path / "ours" / "weights"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served in the place of download.pytorch.org/models."""
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        monkeypatch.setenv("MULTICNN_WEIGHTS_URL", f"http://127.0.0.1:{running.server_port}/")
        yield folder
        running.shutdown()
        thread.join()


@pytest.fixture
def expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The served content counts as the published one."""
    monkeypatch.setattr(weights_page, "_sha256", lambda file: hashlib.sha256(CONTENT).hexdigest()[:8])


def test_the_papers_weights_come_with_their_normalisation() -> None:
    dense = published("densenet121")
    assert dense is not None
    assert dense.file == "densenet121-a639ec97.pth"
    assert dense.url == "https://download.pytorch.org/models/densenet121-a639ec97.pth"
    assert (dense.mean, dense.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (dense.crop, dense.resize, dense.interpolation) == (224, 256, "bilinear")
    resnet = published("torchvision:resnet50")
    assert resnet is not None
    assert resnet.file == "resnet50-0676ba61.pth"


def test_every_torchvision_classifier_has_weights_with_a_checksum() -> None:
    for name in torchvision.models.list_models(module=torchvision.models):
        weights = published(name)
        assert weights is not None
        assert re.fullmatch("[0-9a-f]{8,}", weights_page._sha256(weights.file)), name
        assert weights.url == f"https://download.pytorch.org/models/{weights.file}"


def test_networks_that_torchvision_feeds_otherwise_have_their_own_normalisation() -> None:
    theirs = torchvision.models.googlenet(weights=None, init_weights=False, transform_input=True)
    weights = published("torchvision:googlenet")
    assert weights is not None
    picture = torch.rand(1, 3, 4, 4)
    colours = [torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    expected = theirs._transform_input((picture - colours[0]) / colours[1])
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in weights.normalisation(3))
    torch.testing.assert_close((picture - mean) / std, expected)


@pytest.mark.parametrize("name", TIMM)
def test_timms_figures_are_those_of_timm(name: str) -> None:
    timm = pytest.importorskip("timm")
    theirs, ours = timm.get_pretrained_cfg(name), published(name)
    assert ours is not None
    assert published(f"timm:{name}") == ours
    assert (ours.mean, ours.std, ours.interpolation) == (theirs.mean, theirs.std, theirs.interpolation)
    assert (ours.crop, ours.resize) == (theirs.input_size[1], int(theirs.input_size[1] / theirs.crop_pct))
    assert re.fullmatch("[0-9a-f]{8}", weights_page._sha256(ours.file))


def test_timms_weights_are_known_where_timm_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # its import fails
    weights = published("inception_v4")
    assert weights is not None
    assert weights.file == "inceptionv4-8e4777a0.pth"


@pytest.mark.usefixtures("expected")
def test_timms_weights_are_fetched_from_the_server_that_is_named(server: Path, folders: tuple[Path, Path]) -> None:
    (server / "inception_resnet_v2-940b1cd6.pth").write_bytes(CONTENT)
    assert download("inception_resnet_v2") == folders[1] / "inception_resnet_v2-940b1cd6.pth"
    assert find_weights("timm:inception_resnet_v2") == find_weights("inception_resnet_v2")


@pytest.mark.parametrize(
    ("name", "file", "last", "theirs"),
    [
        ("inception_v4", "inceptionv4-8e4777a0.pth", "last_linear", "last_linear"),
        ("inception_resnet_v2", "inception_resnet_v2-940b1cd6.pth", "classif", "classif"),
        ("inception_resnet_v2", "inception_resnet_v2-940b1cd6.pth", "classif", "last_linear"),
    ],
)
def test_old_names_and_the_class_of_backgrounds_are_understood(
    folders: tuple[Path, Path], name: str, file: str, last: str, theirs: str
) -> None:
    state = build_image(name, classes=1001, size=(299, 299)).state_dict()
    old = {key.replace(last, theirs): tensor for key, tensor in state.items() if "num_batches" not in key}
    folders[0].mkdir(parents=True)
    torch.save(old, folders[0] / file)
    weights = imagenet_weights(name, "imagenet")
    assert weights is not None
    ours = build_image(name, classes=1000, size=(299, 299))
    report = load_into(ours, weights.read())
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    assert torch.equal(ours.state_dict()[f"{last}.weight"], state[f"{last}.weight"][1:])
    assert torch.equal(ours.state_dict()[f"{last}.bias"], state[f"{last}.bias"][1:])


def test_weights_are_expected_where_they_are_or_may_be_fetched(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = published("inception_v4")
    assert expected_weights("inception_v4", "auto") == expected_weights("inception_v4", "imagenet") == known
    assert expected_weights("inception_v4", "none") is None
    assert expected_weights("inception_v4", "some/run") is None
    assert expected_weights("lenet", "auto") is None
    monkeypatch.setenv("MULTICNN_OFFLINE", "1")
    assert expected_weights("inception_v4", "auto") is None
    folders[1].mkdir(parents=True)
    (folders[1] / "inceptionv4-8e4777a0.pth").write_bytes(b"x")
    assert expected_weights("inception_v4", "auto") == known


def settled(folder: Path, **settings: Any) -> Any:
    tree = {"data.path": str(folder), "model.arch": "inception_v4"}
    tree |= {key.replace("__", "."): value for key, value in settings.items()}
    return outline(load_recipe("image", None, tree), "cpu").reader


def test_photographs_are_read_as_the_weights_want_them_and_small_pictures_as_they_are(tmp_path: Path) -> None:
    for side in (240, 96):
        for number in range(12):
            path = tmp_path / str(side) / f"{number % 2}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (side, side), (number, 0, 0)).save(path)
    photographs, small = settled(tmp_path / "240"), settled(tmp_path / "96")
    assert (photographs.height, photographs.width, photographs.interpolation) == (299, 299, "bicubic")
    assert (small.height, small.interpolation) == (96, "bilinear")
    without = settled(tmp_path / "240", model__weights="none")
    assert (without.height, without.interpolation) == (224, "bilinear")
    asked = settled(tmp_path / "240", image__size=256, image__interpolation="nearest")
    assert (asked.height, asked.interpolation) == (256, "nearest")


def test_one_channel_is_normalised_by_the_average_of_the_colours() -> None:
    dense = published("densenet121")
    assert dense is not None
    assert dense.normalisation(1) == ([pytest.approx(0.449)], [pytest.approx(0.226)])


def test_there_are_none_for_networks_of_our_own(capfd: pytest.CaptureFixture[str]) -> None:
    assert published("lenet") is None
    assert find_weights("lenet") is None
    assert imagenet_weights("lenet", "auto") is None
    assert capfd.readouterr().err == "multicnn: there are no ImageNet weights for lenet; it trains from scratch\n"
    with pytest.raises(UsageError, match="no ImageNet weights for lenet"):
        imagenet_weights("lenet", "imagenet")


@pytest.mark.parametrize("which", [0, 1])
def test_files_are_found_in_pytorchs_folder_and_in_ours(folders: tuple[Path, Path], which: int) -> None:
    assert find_weights("resnet18") is None
    folders[which].mkdir(parents=True)
    (folders[which] / "resnet18-f37072fd.pth").write_bytes(b"x")
    assert find_weights("resnet18") == folders[which] / "resnet18-f37072fd.pth"
    assert find_weights("torchvision:resnet18") == find_weights("resnet18")


@pytest.mark.usefixtures("expected")
def test_a_download_says_what_it_fetches_and_leaves_only_the_file(
    server: Path, folders: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    (server / "resnet18-f37072fd.pth").write_bytes(CONTENT)
    path = download("resnet18")
    assert path == folders[1] / "resnet18-f37072fd.pth"
    assert path.read_bytes() == CONTENT
    assert list(folders[1].iterdir()) == [path]
    told = capfd.readouterr().err
    assert re.fullmatch(r"multicnn: downloading http://127\S+/resnet18-f37072fd.pth \(0.0 MB\) to \S+\n", told)


def test_other_content_than_was_published_is_not_kept(server: Path, folders: tuple[Path, Path]) -> None:
    (server / "resnet18-f37072fd.pth").write_bytes(CONTENT)
    with pytest.raises(MulticnnError, match=r"came with the sha256 \w{8}\.\.\. instead of f37072fd"):
        download("resnet18")
    assert list(folders[1].iterdir()) == []


def test_what_the_server_lacks_is_an_error_in_one_line(server: Path) -> None:
    with pytest.raises(MulticnnError, match="cannot be fetched: ") as caught:
        download("resnet18")
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UsageError)


def test_offline_forbids_even_to_ask(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (server / "resnet18-f37072fd.pth").write_bytes(CONTENT)
    monkeypatch.setenv("MULTICNN_OFFLINE", "1")
    monkeypatch.setattr(downloads, "connect", lambda url: pytest.fail("it asked"))
    with pytest.raises(MulticnnError, match="MULTICNN_OFFLINE"):
        download("resnet18")


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(OSError, match=r"no answer within 0\.2 s"):
            downloads.connect(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.2)
        assert time.monotonic() - started < 2


@pytest.mark.usefixtures("expected")
def test_auto_downloads_where_it_can(server: Path) -> None:
    (server / "resnet18-f37072fd.pth").write_bytes(CONTENT)
    assert imagenet_weights("resnet18", "auto", may_download=False) is None
    weights = imagenet_weights("resnet18", "auto")
    assert weights is not None
    assert weights.path == find_weights("resnet18")


def test_auto_goes_on_without_and_says_so_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert imagenet_weights("resnet18", "auto") is None
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert re.search(r"no ImageNet weights for resnet18, http\S+ cannot be fetched: .*; it trains from scratch", told)


def test_imagenet_insists_and_tells_how_to_help_oneself(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTICNN_OFFLINE", "1")
    with pytest.raises(UsageError) as caught:
        imagenet_weights("densenet121", "imagenet")
    told = str(caught.value)
    for part in (
        "densenet121-a639ec97.pth is neither in",
        *map(str, folders),
        "https://download.pytorch.org/",
        "OFFLINE",
    ):
        assert part in told
    assert "\n" not in told


def test_the_old_names_of_the_published_densenet_files_are_understood(folders: tuple[Path, Path]) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.densenet121(weights=None).eval()
    old = {
        re.sub(r"(denselayer\d+\.)(norm|conv)([12])\.", r"\1\2.\3.", name): tensor
        for name, tensor in theirs.state_dict().items()
        if not name.endswith("num_batches_tracked")  # as it was before 2018
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    folders[0].mkdir(parents=True)
    torch.save(old, folders[0] / "densenet121-a639ec97.pth")
    weights = imagenet_weights("densenet121", "imagenet")
    assert weights is not None
    ours = build_image("densenet121", classes=1000, size=(64, 64)).eval()
    report = load_into(ours, weights.read())
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(ours(x), theirs(x))


def test_imagenet_weights_fit_small_inputs_grey_pictures_and_other_classes() -> None:
    theirs = torchvision.models.resnet18(weights=None).state_dict()
    ours = build_image("resnet18", classes=10, channels=1, size=(64, 64))
    assert load_into(ours, theirs).mismatched == ["fc.weight", "fc.bias"]
    torch.testing.assert_close(ours.conv1.weight, theirs["conv1.weight"].sum(1, keepdim=True))
    small = build_image("resnet18", classes=10, size=(32, 32))
    assert load_into(small, theirs).mismatched == ["conv1.weight", "fc.weight", "fc.bias"]


def test_torchvisions_weights_fit_its_own_networks() -> None:
    theirs = torchvision.models.squeezenet1_1(weights=None)
    ours = build_image("torchvision:squeezenet1_1", classes=5, size=(64, 64))
    assert load_into(ours, theirs.state_dict()).mismatched == [
        "network.classifier.1.weight",
        "network.classifier.1.bias",
    ]


def test_weights_that_are_not_there_cannot_be_read() -> None:
    weights = published("resnet18")
    assert weights is not None
    with pytest.raises(UsageError, match="is neither in"):
        weights.read()
    with pytest.raises(UsageError, match="no weights file or run"):
        open_weights("nowhere.pth")
