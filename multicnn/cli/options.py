"""Options that several commands have, so that they are called and told alike."""

from typing import Annotated, Any

import typer


def option(*names: str, help: str) -> Any:
    """An option whose help says its default."""
    return typer.Option(*names, help=help, show_default=False)


Model = Annotated[str, typer.Argument(help="A run, a bundle or a .onnx file of multicnn's.")]
Lines = Annotated[bool, option("--lines", help="Named files hold one text a line. Default: one document.")]
Nul = Annotated[bool, option("--null", "-0", help="Standard input is separated by NUL. Default: lines.")]
Workers = Annotated[
    int | None,
    option(
        "--workers", help="Threads that read files; in training, processes that read many texts. Default: one a core."
    ),
]
TextColumn = Annotated[
    str | None, option("--text-column", help="A manifest's column of texts. Default: text or sentence.")
]
PathColumn = Annotated[
    str | None,
    option("--path-column", help="A manifest's column of paths. Default: path, file, filename, image or audio."),
]
Root = Annotated[
    str | None, option("--root", help="Folder or archive of a manifest's paths. Default: the manifest's own.")
]
Quiet = Annotated[bool, option("--quiet", "-q", help="Errors only on stderr, no notes. Default: off.")]
