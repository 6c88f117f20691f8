"""multicnn info: what is this model?"""

from typing import Annotated

import typer

from multicnn.cli.options import Model


def info(
    model: Model,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print all that the model says of itself as JSON. Default: a table.", show_default=False
        ),
    ] = False,
) -> None:
    """Show what a model is: its classes, its input, where it came from, its figures."""
    from multicnn.bundle.read import open_bundle
    from multicnn.cli.render import print_info, print_json

    bundle = open_bundle(model)
    print_json(bundle.meta) if as_json else print_info(bundle)
