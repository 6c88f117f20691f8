"""multicnn evaluate: how good is a model on labelled data?"""

from pathlib import Path
from typing import Annotated

import typer

from multicnn.cli.options import Model, PathColumn, Quiet, Root, TextColumn, option
from multicnn.errors import tell


def evaluate(
    model: Model,
    data: Annotated[str, typer.Argument(help="Labelled data: folder, manifest, archive or sample:NAME.")],
    *,
    split: Annotated[
        str,
        option(
            "--split", help="The part to use where the data has parts: train, validation, test or all. Default: test."
        ),
    ] = "test",
    as_json: Annotated[bool, option("--json", help="Print the figures as JSON. Default: tables.")] = False,
    output: Annotated[
        Path | None, option("--output", "-o", help="Write the figures as JSON into this file too. Default: none.")
    ] = None,
    text_column: TextColumn = None,
    path_column: PathColumn = None,
    label_column: Annotated[
        str | None,
        option("--label-column", help="A manifest's column of classes. Default: label, class, category or target."),
    ] = None,
    split_column: Annotated[
        str | None, option("--split-column", help="A manifest's column of parts. Default: split.")
    ] = None,
    root: Root = None,
    quiet: Quiet = False,
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
        tell(note)
    for trouble in troubles:
        tell(f"{trouble}; it was left out")
    print_json(figures) if as_json else print_metrics(figures)
    if troubles:
        raise typer.Exit(3)
