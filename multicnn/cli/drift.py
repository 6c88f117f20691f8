"""multicnn drift: how far did each layer's weights come from those they started with?"""

from pathlib import Path
from typing import Annotated, Any

import typer


def drift(
    run: Annotated[Path, typer.Argument(help="A run of multicnn train, or its drift.json.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A picture to write (.svg). Default: a table on the terminal.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON. Default: off.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture. Default: off.")] = False,
) -> None:
    """Show how far each layer's weights moved in training: early layers hardly, late ones do."""
    from multicnn.cli.render import print_drift, print_json
    from multicnn.data.files import write_atomically
    from multicnn.errors import UsageError

    figures = _read(run)
    if as_json:
        print_json(figures)
    if output is not None:
        from multicnn.drawing.drift import drift_svg

        if output.suffix.lower() != ".svg":
            raise UsageError(f"{output}: the picture is written as SVG; give it the ending .svg")
        if output.exists() and not overwrite:
            raise UsageError(f"{output} is there already; --overwrite replaces it")
        write_atomically(output, drift_svg(figures))
    elif not as_json:
        print_drift(figures)


def _read(run: Path) -> dict[str, Any]:
    """What drift.json says; folds and members have one each."""
    import json

    from multicnn.errors import UsageError
    from multicnn.training.run_folder import INSIDE, RunFolder

    path = RunFolder(run).drift if run.is_dir() else run
    inside = [found for pattern in INSIDE for found in sorted(run.glob(f"{pattern}/**/drift.json"))]
    if not path.is_file() and inside:
        raise UsageError(f"{run} holds several runs; name one of them, such as {inside[0].parent}")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; a run writes it when its training ends")
    try:
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(figures["layers"], list):
            return figures
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{path} is no drift.json")
