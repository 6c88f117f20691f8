import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from multicnn.blocks.classifier import Classifier
from multicnn.bundle.read import open_bundle
from multicnn.image.views import Views
from multicnn.inference.predictor import Predictor
from tests.conftest import Cli


def test_a_picture_and_its_mirror_image_count_alike() -> None:
    x = torch.rand(2, 3, 5, 4)
    views = Views("flip")
    seen = views(x)
    torch.testing.assert_close(seen, torch.cat([x, x.flip(3)]))
    logits = torch.rand(4, 7)
    torch.testing.assert_close(views.mean(logits), (logits[:2] + logits[2:]) / 2)


def test_shifted_views_move_by_a_pixel_and_reflect_the_edge() -> None:
    row = torch.arange(12.0).view(1, 1, 3, 4)
    seen = Views("shift")(row)
    assert seen.shape == (6, 1, 3, 4)
    down_right, up_left = seen[2, 0], seen[4, 0]
    torch.testing.assert_close(down_right[1:, 1:], row[0, 0, :-1, :-1])
    torch.testing.assert_close(down_right[0, 1:], row[0, 0, 1, :-1])
    torch.testing.assert_close(up_left[:-1, :-1], row[0, 0, 1:, 1:])
    torch.testing.assert_close(up_left[:-1, 3], row[0, 0, 1:, 2])
    torch.testing.assert_close(seen[1::2], seen[::2].flip(3))


@pytest.mark.parametrize("kind", ["flip", "shift"])
def test_the_views_weigh_one_in_all_and_the_answer_is_their_mean(kind: str) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 2))
    x = torch.rand(5, 3, 4, 4)
    views = Views(kind)
    model = Classifier(nn.Identity(), network, views)  # type: ignore[arg-type]
    by_hand = sum(
        float(w) * network(one) for w, one in zip(views.weights, views(x).chunk(len(views.weights)), strict=True)
    )
    torch.testing.assert_close(model(x), by_hand)
    torch.testing.assert_close(views.weights.sum(), torch.tensor(1.0))
    assert model.state_dict().keys() == {"network.1.weight", "network.1.bias"}


def test_unknown_views_are_refused() -> None:
    with pytest.raises(ValueError, match="flip or shift, not turn"):
        Views("turn")


def test_the_shipped_model_answers_with_its_views(pictures: Path, cli: Cli, tmp_path: Path) -> None:
    options = ("--arch", "lenet", "--epochs", "1", "--precision", "fp32", "--set", "image.views=flip", "-q")
    trained = cli("train", "image", pictures, "-o", tmp_path / "run", *options)
    assert trained.returncode == 0, trained.stderr
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())
    evaluated = cli("evaluate", tmp_path / "run", pictures, "--json")
    assert json.loads(evaluated.stdout)["log_loss"] == figures["test"]["log_loss"]
    assert figures["last_epoch"]["test"]["log_loss"] == pytest.approx(figures["test"]["log_loss"], rel=1e-4)
    predictor = Predictor(open_bundle(tmp_path / "run"))
    picture = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    plain, mirrored = predictor.probabilities([picture, picture[:, ::-1]])
    np.testing.assert_allclose(plain, mirrored, atol=1e-6)
