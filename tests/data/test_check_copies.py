"""`data check` names sounds that are copies of others, though their files differ."""

import json
from pathlib import Path

from audio.test_fingerprint import RATE, encode, music
from data.making import write
from typer.testing import CliRunner

from multicnn.cli.data import app


def test_copies_are_named_with_their_parts(tmp_path: Path) -> None:
    first, second = music(1), music(2)
    files: dict[str, bytes | str] = {
        "train/a/1.wav": encode(first),
        "train/b/2.wav": encode(second),
        "test/a/1.ogg": encode(first, format_="OGG"),
        "test/b/2.wav": encode(second[RATE:]),
        "test/b/3.wav": encode(music(3)),
        "test/b/broken.wav": b"no sound",
    }
    result = CliRunner().invoke(app, ["check", str(write(tmp_path, files)), "--json"], catch_exceptions=False)
    findings = [one for section in json.loads(result.stdout)["sections"] for one in section["findings"]]
    (copies,) = [one for one in findings if "sound like copies" in one["message"]]
    assert copies["status"] == "warning"
    assert copies["message"].startswith("2 pairs of sounds")
    told = {item.split(" (")[0].rpartition("/")[2]: item for item in copies["items"]}
    assert len(told) == 2
    assert all("(train, " in item and "(test, " in item for item in told.values())
    assert sorted("1.0 s" in item for item in copies["items"]) == [False, True]
