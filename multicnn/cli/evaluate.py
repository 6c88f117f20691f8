"""multicnn evaluate: how good is a model on labelled data?"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def _option(*names: str, help: str) -> Any:
    return typer.Option(*names, help=help, show_default=False)


def evaluate(
    model: Annotated[str, typer.Argument(help="A run, a bundle or a .onnx file of multicnn's.")],
    data: Annotated[str, typer.Argument(help="Labelled data: folder, manifest, archive or sample:NAME.")],
    *,
    split: Annotated[
        str,
        _option(
            "--split", help="The part to use where the data has parts: train, validation, test or all. Default: test."
        ),
    ] = "test",
    as_json: Annotated[bool, _option("--json", help="Print the figures as JSON. Default: tables.")] = False,
    output: Annotated[
        Path | None, _option("--output", "-o", help="Write the figures as JSON into this file too. Default: none.")
    ] = None,
    text_column: Annotated[
        str | None, _option("--text-column", help="A manifest's column of texts. Default: text or sentence.")
    ] = None,
    path_column: Annotated[
        str | None,
        _option("--path-column", help="A manifest's column of paths. Default: path, file, filename, image or audio."),
    ] = None,
    label_column: Annotated[
        str | None,
        _option("--label-column", help="A manifest's column of classes. Default: label, class, category or target."),
    ] = None,
    split_column: Annotated[
        str | None, _option("--split-column", help="A manifest's column of parts. Default: split.")
    ] = None,
    root: Annotated[
        str | None, _option("--root", help="Folder or archive of a manifest's paths. Default: the manifest's own.")
    ] = None,
    quiet: Annotated[bool, _option("--quiet", "-q", help="Errors only on stderr, no notes. Default: off.")] = False,
) -> None:
    """Measure a model on labelled data. Status 3 if some examples could not be read."""
    import json

    from multicnn.cli.render import print_json, print_metrics
    from multicnn.data.files import write_atomically
    from multicnn.data.request import Columns
    from multicnn.evaluation.evaluate import evaluate as measure

    columns = Columns(text=text_column, path=path_column, label=label_column, split=split_column)
    notes: list[str] = []
    figures, troubles = measure(model, data, split=split, columns=columns, root=root, notes=notes)
    if output is not None:
        write_atomically(output, json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    for note in [] if quiet else notes:
        print(f"multicnn: {note}", file=sys.stderr)
    for trouble in troubles:
        print(f"multicnn: {trouble}; it was left out", file=sys.stderr)
    print_json(figures) if as_json else print_metrics(figures)
    if troubles:
        raise typer.Exit(3)
