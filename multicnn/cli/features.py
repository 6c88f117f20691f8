"""multicnn features: what does a network see, or make, of these inputs?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from multicnn.cli.options import Lines, Model, Nul, PathColumn, Quiet, Root, TextColumn, Workers, option
from multicnn.cli.predict import BATCH_SIZES, asked, check_effect, check_range, silent
from multicnn.errors import UsageError, tell

if TYPE_CHECKING:
    from multicnn.inference.feature_files import FeatureFile
    from multicnn.inference.inputs import Request
    from multicnn.inference.layers import Layer, TokenNumbers


def features(
    model: Model,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="As those of predict. Default: - where standard input is not a terminal."),
    ] = None,
    *,
    output: Annotated[
        Path, option("--output", "-o", help="A .npy or .parquet file, written as a whole or not at all.")
    ],
    layer: Annotated[
        Literal["frontend", "penultimate"],
        option(
            "--layer",
            help="frontend, what the network sees, or penultimate, what its last layer decides on. "
            "Default: penultimate.",
        ),
    ] = "penultimate",
    text: Annotated[list[str] | None, option("--text", help="A text; may be repeated. Default: none.")] = None,
    lines: Lines = False,
    nul: Nul = False,
    batch_size: Annotated[
        int | None, option("--batch-size", help="Inputs in one run of the model. Default: 16 files, 32 texts.")
    ] = None,
    workers: Workers = None,
    text_column: TextColumn = None,
    path_column: PathColumn = None,
    root: Root = None,
    quiet: Quiet = False,
) -> None:
    """Write what a network sees or makes of files or texts. Status 3 if some could not be read."""
    from multicnn.bundle.read import open_bundle
    from multicnn.data.request import Columns
    from multicnn.inference.feature_files import feature_file
    from multicnn.inference.inputs import Request
    from multicnn.inference.layers import open_layer

    check_range(batch_size=batch_size, workers=workers)
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
    check_effect(request, bundle.meta["pipeline"])
    if bundle.meta["pipeline"] == "tokens":
        raise UsageError(f"{model} tags words one by one; features are those of whole pictures, sounds or texts")
    wanted = open_layer(bundle, layer)
    with feature_file(output, wanted.shape) as file:
        total, failed = _run(wanted, request, file, batch_size or BATCH_SIZES[wanted.pipeline], workers)
    if not quiet:
        tell(f"{output}: float32 {[total, *wanted.shape]}" + (f", {failed:,} of them without features" * bool(failed)))
    if failed:
        raise typer.Exit(3)


def _run(
    layer: "Layer | TokenNumbers", request: "Request", file: "FeatureFile", batch_size: int, workers: int | None
) -> tuple[int, int]:
    """Writes everything, errors to stderr, a line each; returns how many inputs there were and how many failed."""
    from multicnn.data.decode import default_workers
    from multicnn.inference.inputs import items
    from multicnn.inference.recordings import stream_of

    total = failed = 0
    stream = stream_of(layer, batch_size=batch_size, workers=workers or default_workers(), live=request.live)
    for batch in stream(items(layer.pipeline, request)):
        file.write(batch)
        for place, error in batch.errors.items():
            name = " ".join(batch.names[place].split())
            tell(f"row {total + place}, {name}: {error}" if name else f"row {total + place}: {error}")
        total += len(batch.names)
        failed += len(batch.errors)
    return total, failed
