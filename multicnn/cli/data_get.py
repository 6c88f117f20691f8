"""multicnn data get: a published data set, downloaded, checked and laid out with its official division."""

from pathlib import Path
from typing import Annotated

import typer

NAME_WIDTH, KIND_WIDTH, COUNT_WIDTH = 14, 5, 7


def get(
    name: Annotated[str | None, typer.Argument(help="A data set of --list, such as esc50.", show_default=False)] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write. Default: one of the data set's name.")
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option("--from", help="A copy that is here: an archive, or a folder. Default: it is downloaded."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write it anew where it is. Default: off.")] = False,
    as_list: Annotated[bool, typer.Option("--list", help="List the data sets. Default: off.")] = False,
) -> None:
    """Get a published data set with its official folds or parts. Prints what to train on."""
    from multicnn.data.get import get as fetch_and_lay_out
    from multicnn.data.known.table import KNOWN
    from multicnn.errors import UsageError

    if as_list:
        for known in KNOWN.values():
            columns = f"{known.name:{NAME_WIDTH}}  {known.kind:{KIND_WIDTH}}  {known.count:>{COUNT_WIDTH},}"
            typer.echo(f"{columns}  {known.title}")
        return
    if name is None:
        raise UsageError("name a data set, as in multicnn data get esc50; --list names them all")
    result, whole = fetch_and_lay_out(name, output, copy, overwrite)
    typer.echo(result)
    if not whole:
        raise typer.Exit(3)
