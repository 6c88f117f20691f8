import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multicnn.errors import MulticnnError, UsageError
from multicnn.inference.output import JsonLines, Separated, output_file, predictions
from multicnn.inference.stream import Answers

LABELS = ["cat", "dog", "élan"]


def answer(*probabilities: float, name: str = "a.jpg") -> Answers:
    return Answers([name], np.array([probabilities], np.float32), {})


def test_a_prediction_is_what_design_says() -> None:
    (told,) = predictions(answer(0.05, 0.93, 0.02), LABELS)
    assert json.dumps(told, ensure_ascii=False) == (
        '{"input": "a.jpg", "label": "dog", "score": 0.93, "scores": {"dog": 0.93, "cat": 0.05, "élan": 0.02}}'
    )


def test_an_error_is_told_between_its_neighbours() -> None:
    rows = np.array([[1, 0, 0], [np.nan] * 3, [0, 0, 1]], np.float32)
    told = predictions(Answers(["a.jpg", "b.jpg", "c.jpg"], rows, {1: "broken"}), LABELS)
    assert [one.get("label", one.get("error")) for one in told] == ["cat", "broken", "élan"]
    assert told[1] == {"input": "b.jpg", "error": "broken"}


def test_equal_scores_keep_the_order_of_the_classes() -> None:
    (told,) = predictions(answer(0.25, 0.5, 0.25), LABELS)
    assert list(told["scores"]) == ["dog", "cat", "élan"]


@pytest.mark.parametrize(("top_k", "kept"), [(1, ["dog"]), (2, ["dog", "cat"]), (9, ["dog", "cat", "élan"])])
def test_top_k_keeps_the_best(top_k: int, kept: list[str]) -> None:
    (told,) = predictions(answer(0.3, 0.5, 0.2), LABELS, top_k)
    assert list(told["scores"]) == kept


def test_below_the_threshold_there_is_a_score_but_no_label() -> None:
    rows = np.array([[0.1, 0.6, 0.3], [0.1, 0.7, 0.2]], np.float32)
    told = predictions(Answers(["a", "b"], rows, {}), LABELS, threshold=0.7)
    assert [(one["label"], one["score"]) for one in told] == [(None, 0.6), ("dog", 0.7)]


@given(st.text(), st.text(), st.lists(st.floats(0, 1), min_size=2, max_size=2), st.booleans())
def test_json_lines_are_what_the_json_module_writes(name: str, label: str, scores: list[float], known: bool) -> None:
    scores = [round(score, 6) for score in scores]
    good = {
        "input": name,
        "label": label if known else None,
        "score": scores[0],
        "scores": {label: scores[0], "b": scores[1]},
    }
    stream = io.BytesIO()
    JsonLines(stream).write([good, {"input": name, "error": label}])
    expected = [json.dumps(one, ensure_ascii=False) for one in (good, {"input": name, "error": label})]
    assert stream.getvalue().decode() == "".join(f"{line}\n" for line in expected)


@given(
    st.lists(st.tuples(st.text(), st.lists(st.floats(0, 1), min_size=3, max_size=3)), min_size=1, max_size=5),
    st.sampled_from([None, 1, 2, 9]),
    st.sampled_from([0.0, 0.4]),
    st.booleans(),
)
def test_answers_are_encoded_as_their_predictions(
    rows: list[tuple[str, list[float]]], top_k: int | None, threshold: float, odd: bool
) -> None:
    names = [name for name, _ in rows[:-1]] + ["\udcff" if odd else "x"]
    some = Answers(names, np.array([scores for _, scores in rows], np.float32), {len(rows) - 1: 'not "read"'})
    writer = JsonLines(io.BytesIO())
    assert writer.encoded_answers(some, LABELS, top_k, threshold) == writer.encoded(
        predictions(some, LABELS, top_k, threshold)
    )


def test_json_lines_are_utf8_and_valid_for_any_file_name() -> None:
    stream = io.BytesIO()
    JsonLines(stream).write([{"input": "é\n\udcff.jpg", "error": "x"}, {"input": "é", "error": "y"}])
    first, second = stream.getvalue().decode().splitlines()
    assert json.loads(first)["input"] == "é\n\udcff.jpg"
    assert second == '{"input": "é", "error": "y"}'


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_separated_values_have_a_column_a_class(delimiter: str) -> None:
    stream = io.BytesIO()
    writer = Separated(stream, LABELS, delimiter)
    writer.write([])
    writer.write(predictions(answer(0.3, 0.5, 0.2, name='a,"\t\n'), LABELS, 2, threshold=0.9))
    writer.write([{"input": "\udcff", "error": "broken"}])
    header, *rows = csv.reader(io.StringIO(stream.getvalue().decode(), newline=""), delimiter=delimiter)
    assert header == ["input", "label", "score", "error", "score:cat", "score:dog", "score:élan"]
    assert rows == [['a,"\t\n', "", "0.5", "", "0.3", "0.5", ""], ["\\udcff", "", "", "broken", "", "", ""]]


def test_an_output_file_appears_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.jsonl"
    with output_file(path) as stream:
        stream.write(b"1")
        assert not path.exists()
    assert path.read_bytes() == b"1"
    with pytest.raises(KeyboardInterrupt), output_file(path) as stream:
        stream.write(b"2")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"1"
    assert list(path.parent.iterdir()) == [path]


def test_an_output_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"), output_file(tmp_path):
        pass
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MulticnnError, match="cannot be written"), output_file(tmp_path / "file" / "x"):
        pass
