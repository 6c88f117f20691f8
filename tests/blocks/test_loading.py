import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from multicnn.blocks.convolution import Convolution
from multicnn.blocks.loading import fit_channels, load_into, open_weights
from multicnn.blocks.normalisation import BatchNorm
from multicnn.errors import UsageError


def network(classes: int = 3, channels: int = 3) -> nn.Sequential:
    return nn.Sequential(Convolution(channels, 4, 3), BatchNorm(4), nn.Flatten(), nn.Linear(16, classes))


def test_everything_fits_a_network_of_the_same_kind() -> None:
    theirs, ours = network(), network()
    report = load_into(ours, theirs.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True))
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    assert report.line() == "9 of 9 tensors loaded"


def test_a_head_for_other_classes_stays_fresh_and_is_reported() -> None:
    theirs, ours = network(classes=5), network(classes=3)
    head = ours[3].weight.clone()
    report = load_into(ours, theirs.state_dict())
    assert report.mismatched == ["3.weight", "3.bias"]
    assert torch.equal(ours[3].weight, head)
    assert torch.equal(ours[0].weight, theirs[0].weight)
    assert report.line() == "7 of 9 tensors loaded; 3.weight, 3.bias start fresh for their shape differs"


def test_what_is_missing_or_unknown_is_reported_but_for_counters() -> None:
    state = network().state_dict()
    del state["0.bias"], state["1.num_batches_tracked"]
    state["extra"] = torch.zeros(1)
    report = load_into(network(), state)
    assert (report.missing, report.unexpected) == (["0.bias"], ["extra"])


@pytest.mark.parametrize("prefix", ["module.", "model.network."])
def test_a_prefix_on_either_side_does_no_harm(prefix: str) -> None:
    state = network().state_dict()
    prefixed = {prefix + name: tensor for name, tensor in state.items()}
    assert len(load_into(network(), prefixed | {"frontend.mean": torch.zeros(3)}).loaded) == len(state)
    wrapped = (
        nn.ModuleDict({"module": network()})
        if prefix == "module."
        else nn.ModuleDict({"model": nn.ModuleDict({"network": network()})})
    )
    assert len(load_into(wrapped, state).loaded) == len(state)


def test_nothing_that_fits_is_an_error_that_shows_both_sides() -> None:
    with pytest.raises(
        UsageError, match=r"the file has a, b, c and 1 more, the network 0\.weight, 0\.bias, 1\.weight and"
    ):
        load_into(network(), {name: torch.zeros(1) for name in "abcd"})


def test_colours_are_summed_for_grey_pictures() -> None:
    colour, grey = network(channels=3), network(channels=1)
    load_into(grey, colour.state_dict())
    picture = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(grey.eval()(picture), colour.eval()(picture.expand(2, 3, 4, 4)))


def test_further_channels_repeat_the_colours_and_keep_the_scale() -> None:
    weight = torch.randn(2, 3, 5, 5)
    fitted = fit_channels(weight, torch.empty(2, 6, 5, 5))
    torch.testing.assert_close(fitted, torch.cat([weight, weight], 1) / 2)
    assert fit_channels(weight, torch.empty(2, 6, 3, 3)) is weight


def test_grey_is_spread_over_the_colours() -> None:
    grey, colour = network(channels=1), network(channels=3)
    load_into(colour, grey.state_dict())
    picture = torch.rand(2, 1, 4, 4)
    torch.testing.assert_close(colour.eval()(picture.expand(2, 3, 4, 4)), grey.eval()(picture))


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt"])
def test_files_of_both_kinds_are_read(tmp_path: Path, name: str) -> None:
    state = network().state_dict()
    save_file(state, tmp_path / name) if name.endswith("safetensors") else torch.save(state, tmp_path / name)
    assert open_weights(tmp_path / name).keys() == state.keys()


def test_weights_among_other_things_are_found(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "w.pth")
    assert open_weights(tmp_path / "w.pth").keys() == state.keys()


@pytest.mark.parametrize("inside", ["model", "."])
def test_a_run_and_a_bundle_are_read(tmp_path: Path, inside: str) -> None:
    (tmp_path / inside).mkdir(exist_ok=True)
    save_file({"a": torch.ones(2)}, tmp_path / inside / "weights.safetensors")
    assert open_weights(tmp_path)["a"].tolist() == [1, 1]


class Bomb:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    torch.save({"a": Bomb(tmp_path / "ran")}, tmp_path / "w.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"a": Bomb(tmp_path / "ran")}))
    for name in ("w.pth", "old.pth"):
        with pytest.raises(UsageError, match="more than tensors"):
            open_weights(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_broken_and_missing_files_are_told_in_one_line(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "whole.pth")
    (tmp_path / "half.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:700])
    (tmp_path / "half.safetensors").write_bytes(b"\xff" * 40)
    (tmp_path / "notes.txt").write_text("x")
    torch.save([1, 2], tmp_path / "list.pth")
    for name, message in {
        "half.pth": "damaged",
        "half.safetensors": "damaged",
        "notes.txt": "no weights file",
        "list.pth": "no tensors",
        "whole.pht": r"did you mean whole.pth\?",
        ".": "not a finished run",
    }.items():
        with pytest.raises(UsageError, match=message) as caught:
            open_weights(tmp_path / name)
        assert "\n" not in str(caught.value)
