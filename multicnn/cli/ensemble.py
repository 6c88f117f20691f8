"""multicnn ensemble: one model of several."""

import json
from typing import Annotated

import typer


def ensemble(
    models: Annotated[
        list[str], typer.Argument(help="Runs, bundles or .onnx files that read alike and know the same classes.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="The folder to write.", show_default=False)],
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of the folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")] = False,
) -> None:
    """Average the probabilities of several models, as one model. Prints its folder."""
    from multicnn.training.ensemble import ensemble as merge
    from multicnn.training.progress import Reporter
    from multicnn.training.run_folder import run_folder

    run = run_folder("", output, None, "")
    run.check(overwrite)
    outcome = merge(models, run, Reporter(quiet), clear=True)
    typer.echo(
        json.dumps({"run": str(outcome.run), **outcome.metrics}, ensure_ascii=False) if as_json else str(outcome.run)
    )
    if outcome.troubles:
        raise typer.Exit(3)
