"""multicnn arch: the catalogue of architectures, and what each of them costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multicnn.cli.arch_output import Format, choose_format, write

if TYPE_CHECKING:
    from multicnn.blocks.layers import Layer
    from multicnn.catalogue import Account

app = typer.Typer(help="List, show and compare the architectures.", no_args_is_help=True)

Input = Annotated[
    str | None,
    typer.Option(
        "--input",
        help="What it gets: 3x224x224 (channels, height, width), 8000 samples, 56 tokens, or 5 words. "
        "Default: its paper's.",
    ),
]
Classes = Annotated[int | None, typer.Option("--classes", min=1, help="How many classes. Default: its paper's.")]
Vocabulary = Annotated[
    int | None,
    typer.Option(
        "--vocabulary",
        min=3,
        help="How many words or characters there are, for texts. Default: its paper's alphabet, else 20,000.",
    ),
]
InFormat = Annotated[
    Format | None,
    typer.Option(
        "--format", help="How to show it; svg, png and dot draw it. Default: by the file's name, else a table."
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file. Default: stdout.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON. Default: a table.", show_default=False)]


@app.command("list")
def list_architectures(
    pipeline: Annotated[
        str | None, typer.Option(help="Only those of one pipeline: image, audio, text or tokens. Default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the architectures: input, parameters, and the idea in a sentence."""
    from dataclasses import asdict

    from multicnn.catalogue import entries
    from multicnn.cli.arch_tables import print_entries
    from multicnn.cli.render import print_json

    found = entries(pipeline)
    print_json({one.name: asdict(one) for one in found}) if as_json else print_entries(found)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(help="A name from `arch list`, torchvision:NAME, or a pattern: '[conv3-64 relu pool2]*3 fc'."),
    ],
    shape: Input = None,
    classes: Classes = None,
    vocabulary: Vocabulary = None,
    format_: InFormat = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Show an architecture layer by layer (shapes, parameters, multiply-adds, memory, receptive field), or draw it."""
    from multicnn.catalogue import account, parse_input
    from multicnn.cli.arch_tables import print_account
    from multicnn.cli.render import json_bytes
    from multicnn.drawing.draw import draw

    chosen = choose_format(format_, as_json, output)
    asked = None if shape is None else parse_input(shape)
    if chosen not in ("table", "json"):
        write(draw(name, chosen, asked, classes, vocabulary), output)
        return
    found = account(name, asked, classes, vocabulary)
    if chosen == "table":
        print_account(found)
    else:
        write(json_bytes({**_totals(found), "layers": [_layer(layer) for layer in found.layers]}), output)


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="Architectures, as for `arch show`.")],
    shape: Input = None,
    classes: Classes = None,
    vocabulary: Vocabulary = None,
    as_json: AsJson = False,
) -> None:
    """Set architectures side by side, with the time that an example takes on this machine's CPU."""
    from multicnn.catalogue import account, build, example, parse_input, seconds_per_example
    from multicnn.cli.arch_tables import print_comparison
    from multicnn.cli.render import print_json

    asked = None if shape is None else parse_input(shape)
    found = [account(name, asked, classes, vocabulary) for name in names]  # all errors before the first measurement
    seconds = [
        seconds_per_example(
            build(one.name, one.input, one.classes, vocabulary), example(one.name, one.input, vocabulary)
        )
        for one in found
    ]
    if as_json:
        print_json(
            {one.name: {**_totals(one), "seconds": round(time, 6)} for one, time in zip(found, seconds, strict=True)}
        )
    else:
        print_comparison(found, seconds)


def _totals(found: "Account") -> dict[str, Any]:
    return {
        "name": found.name,
        "input": found.input,
        "classes": found.classes,
        "parameters": found.parameters,
        "multiply_adds": found.total("multiply_adds"),
        "forward_bytes": found.total("forward_bytes"),
        "backward_bytes": found.total("backward_bytes"),
        "receptive_field": found.receptive_field,
    }


def _layer(layer: "Layer") -> dict[str, Any]:
    keys = ("name", "kind", "output", "parameters", "multiply_adds", "forward_bytes", "backward_bytes")
    return {**{key: getattr(layer, key) for key in keys}, "receptive_field": layer.receptive_field}
