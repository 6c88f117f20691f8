"""multicnn features: what does a network see, or make, of these inputs?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from multicnn.cli.predict import BATCH_SIZES, asked, check_effect, check_range, note, silent

if TYPE_CHECKING:
    from multicnn.inference.feature_files import FeatureFile
    from multicnn.inference.inputs import Request
    from multicnn.inference.layers import Layer, TokenNumbers
    from multicnn.inference.recordings import Stream


def _option(*names: str, help: str) -> Any:
    return typer.Option(*names, help=help, show_default=False)


def features(
    model: Annotated[str, typer.Argument(help="A run, a bundle or a .onnx file of multicnn's.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="As those of predict. Default: - where standard input is not a terminal."),
    ] = None,
    *,
    output: Annotated[
        Path, _option("--output", "-o", help="A .npy or .parquet file, written as a whole or not at all.")
    ],
    layer: Annotated[
        Literal["frontend", "penultimate"],
        _option(
            "--layer",
            help="frontend, what the network sees, or penultimate, what its last layer decides on. "
            "Default: penultimate.",
        ),
    ] = "penultimate",
    text: Annotated[list[str] | None, _option("--text", help="A text; may be repeated. Default: none.")] = None,
    lines: Annotated[bool, _option("--lines", help="Named files hold one text a line. Default: one document.")] = False,
    nul: Annotated[bool, _option("--null", "-0", help="Standard input is separated by NUL. Default: lines.")] = False,
    batch_size: Annotated[
        int | None, _option("--batch-size", help="Inputs in one run of the model. Default: 16 files, 32 texts.")
    ] = None,
    workers: Annotated[int | None, _option("--workers", help="Threads that read files. Default: one a core.")] = None,
    text_column: Annotated[
        str | None, _option("--text-column", help="A manifest's column of texts. Default: text or sentence.")
    ] = None,
    path_column: Annotated[
        str | None,
        _option("--path-column", help="A manifest's column of paths. Default: path, file, filename, image or audio."),
    ] = None,
    root: Annotated[
        str | None, _option("--root", help="Folder or archive of a manifest's paths. Default: the manifest's own.")
    ] = None,
    quiet: Annotated[bool, _option("--quiet", "-q", help="Errors only on stderr, no notes. Default: off.")] = False,
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
        note=silent if quiet else note,
    )
    bundle = open_bundle(model)
    check_effect(request, bundle.meta["pipeline"])
    wanted = open_layer(bundle, layer)
    with feature_file(output, wanted.shape) as file:
        total, failed = _run(wanted, request, file, batch_size or BATCH_SIZES[wanted.pipeline], workers)
    if not quiet:
        note(f"{output}: float32 {[total, *wanted.shape]}" + (f", {failed:,} of them without features" * bool(failed)))
    if failed:
        raise typer.Exit(3)


def _run(
    layer: "Layer | TokenNumbers", request: "Request", file: "FeatureFile", batch_size: int, workers: int | None
) -> tuple[int, int]:
    """Writes everything, errors to stderr, a line each; returns how many inputs there were and how many failed."""
    from multicnn.data.decode import default_workers
    from multicnn.inference.inputs import items
    from multicnn.inference.stream import answers

    total = failed = 0
    readers = workers or default_workers()
    stream: Stream = partial(answers, layer, batch_size=batch_size, workers=readers, live=request.live)
    if layer.pipeline == "audio":
        from multicnn.inference.recordings import answers_of_recordings

        stream = partial(answers_of_recordings, stream, reader=layer.reader, timeline=False)
    for batch in stream(items(layer.pipeline, request)):
        file.write(batch)
        for place, error in batch.errors.items():
            name = " ".join(batch.names[place].split())
            note(f"row {total + place}, {name}: {error}" if name else f"row {total + place}: {error}")
        total += len(batch.names)
        failed += len(batch.errors)
    return total, failed
