"""multicnn recipes: the recipes that ship with the package."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, show and copy the recipes that ship with multicnn.", no_args_is_help=True)


@app.command("list")
def list_recipes(
    pipeline: Annotated[
        str | None, typer.Option(help="Only those of one pipeline: image, audio or text. Default: all.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object, name to first line. Default: off.")
    ] = False,
) -> None:
    """List the recipes by name, each with the first line of its header."""
    import json

    from multicnn.recipe_files import find_recipe, recipe_names

    first = {name: _header(find_recipe(name).read_text(encoding="utf-8")) for name in recipe_names(pipeline)}
    if as_json:
        typer.echo(json.dumps(first, ensure_ascii=False))
        return
    width = max((len(name) for name in first), default=0)
    for name, line in first.items():
        typer.echo(f"{name:{width}}  {line}")


@app.command()
def show(name: Annotated[str, typer.Argument(help="A recipe's name, such as text/kim_rand.")]) -> None:
    """Print a recipe as it is, with its header."""
    from multicnn.recipe_files import find_recipe

    typer.echo(find_recipe(name).read_text(encoding="utf-8"), nl=False)


@app.command()
def copy(
    name: Annotated[str, typer.Argument(help="A recipe's name, such as text/kim_rand.")],
    target: Annotated[Path, typer.Argument(help="The file or folder to copy it to. Default: this folder.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there. Default: off.")] = False,
) -> None:
    """Copy a recipe to a file of your own, to change it."""
    from multicnn.data.files import write_atomically
    from multicnn.errors import UsageError
    from multicnn.recipe_files import find_recipe

    source = find_recipe(name)
    path = target / source.name if target.is_dir() else target
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already; name another file, or say --overwrite")
    write_atomically(path, source.read_text(encoding="utf-8"))
    typer.echo(path)


def _header(text: str) -> str:
    """The first line of a recipe's header."""
    return text.splitlines()[0].lstrip("# ") if text else ""
