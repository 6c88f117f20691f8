"""ImageNet weights, with a server on this machine in the place of the real one."""

import hashlib
import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
import torchvision

from multicnn.architectures import build_image
from multicnn.blocks.loading import load_into, open_weights
from multicnn.errors import MulticnnError, UsageError
from multicnn.image import download as downloads
from multicnn.image import weights as weights_page
from multicnn.image.weights import download, find_weights, imagenet_weights, published

CONTENT = b"what a server sends " * 1000


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Empty folders for the weights: PyTorch's and ours."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("MULTICNN_CACHE", str(tmp_path / "ours"))
    monkeypatch.delenv("MULTICNN_OFFLINE", raising=False)
    monkeypatch.setenv("MULTICNN_WEIGHTS_URL", "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setattr(torch.hub, "_hub_dir", None)  # what torch.hub.set_dir leaves, if anybody called it
    return tmp_path / "torch" / "hub" / "checkpoints", tmp_path / "ours"


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
