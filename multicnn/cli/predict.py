"""multicnn predict: what does a model say of these inputs?"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from multicnn.cli.options import Lines, Model, Nul, PathColumn, Quiet, Root, TextColumn, option
from multicnn.errors import UsageError, tell

if TYPE_CHECKING:
    from multicnn.inference.inputs import Request
    from multicnn.inference.lookups import LookUps
    from multicnn.inference.output import Writer
    from multicnn.inference.predictor import Predictor

# Results come and go by the thousand and hold no cycles: Python's usual 700 make its collector a tenth of the time.
OBJECTS_BETWEEN_COLLECTIONS = 100_000
BATCH_SIZES = {"image": 16, "audio": 16, "text": 32, "tokens": 256}


Format = Literal["jsonl", "csv", "tsv", "table"]


def predict(
    model: Model,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, patterns, archives, manifests (.csv .tsv .jsonl .parquet), or - for standard input: "
            "a path a line, for text models a text a line. Default: - where standard input is not a terminal.",
            show_default=False,
        ),
    ] = None,
    *,
    text: Annotated[
        list[str] | None, option("--text", help="A text to classify; may be repeated. Default: none.")
    ] = None,
    lines: Lines = False,
    nul: Nul = False,
    format_: Annotated[
        Format | None,
        option(
            "--format",
            help="jsonl, csv, tsv or table. Default: table on a terminal, by the ending of --output, else jsonl.",
        ),
    ] = None,
    top_k: Annotated[int | None, option("--top-k", help="Tell only the K most probable classes. Default: all.")] = None,
    threshold: Annotated[
        float, option("--threshold", help="No label (null) where the score is below this. Default: 0.")
    ] = 0.0,
    timeline: Annotated[
        bool, option("--timeline", help="One result a window of each recording. Default: one a recording.")
    ] = False,
    output: Annotated[
        Path | None,
        option("--output", "-o", help="A file, written as a whole or not at all. Default: standard output."),
    ] = None,
    batch_size: Annotated[
        int | None,
        option("--batch-size", help="Inputs in one run of the model. Default: 16 files, 32 texts, 256 tagged words."),
    ] = None,
    workers: Annotated[
        int | None,
        option(
            "--workers", help="Threads that read files, or processes that classify many texts. Default: one a core."
        ),
    ] = None,
    text_column: TextColumn = None,
    path_column: PathColumn = None,
    root: Root = None,
    quiet: Quiet = False,
) -> None:
    """Classify files or texts. One result per input, in order; status 3 if some could not be read."""
    from multicnn.bundle.read import open_bundle
    from multicnn.data.request import Columns
    from multicnn.inference.inputs import Request
    from multicnn.inference.lookups import open_lookups
    from multicnn.inference.predictor import Predictor

    check_range(top_k=top_k, batch_size=batch_size, workers=workers)
    if not 0 <= threshold <= 1:
        raise UsageError(f"--threshold is between 0 and 1, not {threshold:g}")
    request = Request(
        inputs=asked(inputs, text),
        texts=text or [],
        lines=lines,
        nul=nul,
        columns=Columns(text=text_column, path=path_column),
        root=root,
        note=silent if quiet else tell,
    )
    bundle = open_bundle(model)
    check_effect(request, bundle.meta["pipeline"], timeline)
    if bundle.meta["pipeline"] == "tokens":
        _check_tags(output, format_, top_k, threshold)
        format_ = "jsonl"
    predictor = open_lookups(bundle) or Predictor(bundle)
    gc.freeze()  # the model stays to the end
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    with _quiet_when_closed(), _writer(output, format_, predictor.labels, top_k, timeline) as writer:
        total, failed = _run(
            predictor,
            request,
            writer,
            batch_size=batch_size,
            workers=workers,
            top_k=top_k,
            threshold=threshold,
            timeline=timeline,
        )
    if failed:
        if not quiet:
            tell(f"{failed:,} of {total:,} inputs could not be used; each has its own error line")
        raise typer.Exit(3)


def _run(
    predictor: "Predictor | LookUps",
    request: "Request",
    writer: "Writer",
    *,
    batch_size: int | None,
    workers: int | None,
    top_k: int | None,
    threshold: float,
    timeline: bool,
) -> tuple[int, int]:
    """Classifies everything; returns how many inputs (or windows) there were and how many failed."""
    from multicnn.data.decode import default_workers
    from multicnn.inference import bulk
    from multicnn.inference.inputs import chunks, items
    from multicnn.inference.lookups import LookUps
    from multicnn.inference.output import predictions
    from multicnn.inference.recordings import stream_of

    workers = workers or default_workers()
    writer.write([])  # the heading comes even where nothing follows
    told: Iterator[bulk.Told]
    if isinstance(predictor, LookUps):
        told = bulk.told(
            predictor, chunks("text", request), writer, top_k=top_k, threshold=threshold, processes=workers
        )
    else:
        size = batch_size or BATCH_SIZES[predictor.pipeline]
        stream = stream_of(predictor, batch_size=size, workers=workers, live=request.live, timeline=timeline)
        if predictor.pipeline == "tokens":
            from multicnn.inference.tagging import tagged

            batches = tagged(stream, items("tokens", request), predictor.labels)
        else:
            batches = (
                predictions(batch, predictor.labels, top_k, threshold)
                for batch in stream(items(predictor.pipeline, request))
            )
        told = (bulk.Told(writer.encoded(some), len(some), sum("error" in one for one in some)) for some in batches)
    total = failed = 0
    for some in told:
        writer.send(some.content)
        total += some.total
        failed += some.failed
    return total, failed


@contextmanager
def _writer(
    path: Path | None, format_: Format | None, labels: list[str], top_k: int | None, timed: bool
) -> Iterator["Writer"]:
    """Where results go, in the format that was asked for or that suits the place."""
    from multicnn.inference.output import output_file

    if path is not None:
        suited: dict[str, Format] = {".csv": "csv", ".tsv": "tsv"}
        with output_file(path) as stream:
            yield _formatted(stream, format_ or suited.get(path.suffix.lower(), "jsonl"), labels, top_k, timed)
        return
    yield _formatted(sys.stdout.buffer, format_ or ("table" if sys.stdout.isatty() else "jsonl"), labels, top_k, timed)


def _formatted(stream: Any, format_: Format, labels: list[str], top_k: int | None, timed: bool) -> "Writer":
    from multicnn.inference.output import JsonLines, Separated

    if format_ == "table":
        from multicnn.cli.prediction_table import PredictionTable

        return PredictionTable(stream, labels, top_k)
    if format_ == "jsonl":
        return JsonLines(stream)
    return Separated(stream, labels, "," if format_ == "csv" else "\t", timed)


@contextmanager
def _quiet_when_closed() -> Iterator[None]:
    """`| head -1` is no error: when nobody reads on, the command ends with status 0."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
        raise typer.Exit from None


def asked(inputs: list[str] | None, texts: list[str] | None) -> list[str]:
    """The inputs that were named; standard input where nothing was.

    Raises:
        UsageError: there is nothing to read, or it is closed.
    """
    if not inputs and not texts:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("no inputs; name files, folders or -, or give a text with --text")
        inputs = ["-"]
    if "-" in (inputs or []) and sys.stdin is None:
        raise UsageError("standard input is closed; name files or folders instead of -")
    return inputs or []


def check_range(**counts: int | None) -> None:
    """Refuses numbers below 1, by the option's name."""
    for name, value in counts.items():
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} is at least 1, not {value}")


def check_effect(request: "Request", pipeline: str, timeline: bool = False) -> None:
    """Refuses options that would do nothing here."""
    reads = {"image": "pictures", "audio": "sounds", "text": "texts", "tokens": "texts"}[pipeline]
    if reads != "texts" and (request.lines or request.texts):
        raise UsageError(f"--{'lines' if request.lines else 'text'} is for text models; this one reads {reads}")
    if timeline and pipeline != "audio":
        raise UsageError(f"--timeline is for models of sounds; this one reads {reads}")
    if request.nul and "-" not in request.inputs:
        raise UsageError("-0 is about standard input, which is not among the inputs; add - or leave -0 out")
    if (request.columns.given() or request.root is not None) and not request.has_rows:
        raise UsageError("column names and --root are about manifests, and none is among the inputs; leave them out")


def _check_tags(output: Path | None, format_: Format | None, top_k: int | None, threshold: float) -> None:
    """Refuses what has no meaning for the spans of a text."""
    if top_k is not None or threshold:
        raise UsageError("--top-k and --threshold are about the class of a text; this model tags words; leave them out")
    if format_ not in (None, "jsonl") or (output is not None and output.suffix.lower() in (".csv", ".tsv")):
        raise UsageError("spans of words fit no table; this model's answers are JSON lines (--format jsonl)")


def silent(line: str) -> None:
    """Keeps it to itself."""
