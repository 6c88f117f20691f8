"""multicnn data: get a data set, look it over, divide it, and see what a network will be fed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from multicnn.cli.data_get import get

if TYPE_CHECKING:
    from multicnn.data.endings import Kind
    from multicnn.data.layout import Columns
    from multicnn.data.report import Report

app = typer.Typer(help="Get a data set, check it, divide it into parts or folds, or draw what a network is fed.")
app.command()(get)

SHOWN = 10  # items under a warning; what is broken is named in full
MARKS = {"ok": ("✔", "green"), "warning": ("⚠", "yellow"), "broken": ("✘", "red")}

Data = Annotated[str, typer.Argument(help="Folder, manifest, archives separated by commas, or sample:NAME.")]
KindOption = Annotated[
    Literal["image", "audio", "text", "tokens"] | None,
    typer.Option(help="What the examples are; tokens: words that are tagged. Default: told by the data."),
]
Root = Annotated[str | None, typer.Option(help="Folder or archive of the manifest's paths. Default: its own folder.")]
TextColumn = Annotated[str | None, typer.Option(help="Column of the texts. Default: text or sentence.")]
PathColumn = Annotated[
    str | None, typer.Option(help="Column of the paths. Default: path, file, filename, image, audio.")
]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the labels. Default: label, class, category, target.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column of the parts. Default: split, where there is one.")]
FoldColumn = Annotated[str | None, typer.Option(help="Column of the folds. Default: fold, where there is one.")]
GroupColumn = Annotated[str | None, typer.Option(help="Column of groups that stay together. Default: none.")]


@app.command()
def check(
    data: Data,
    *,
    kind: KindOption = None,
    root: Root = None,
    text_column: TextColumn = None,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    fold_column: FoldColumn = None,
    vectors: Annotated[
        str | None, typer.Option(help="File of word vectors: which words lack one? Default: none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON. Default: off.")] = False,
) -> None:
    """Report what would spoil a training: broken files, duplicates, rare classes. Status 3 if anything is broken."""
    import json

    from multicnn.data.check import check as look_over
    from multicnn.data.layout import Columns

    columns = Columns(text_column, path_column, label_column, split_column, fold_column)
    report = look_over(data, _kind(data, kind, columns), columns=columns, root=root, vectors=vectors)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print(report)
    if report.is_broken:
        raise typer.Exit(3)


@app.command()
def split(
    data: Data,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write (.csv).")],
    val: Annotated[
        float, typer.Option(help="Share of the examples for validation. Default: 0.", show_default=False)
    ] = 0,
    test: Annotated[float, typer.Option(help="Share of the examples for testing. Default: 0.", show_default=False)] = 0,
    folds: Annotated[int | None, typer.Option(help="Write a fold column instead, with this many folds.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed divides alike. Default: 0.", show_default=False)] = 0,
    group_duplicates: Annotated[
        bool, typer.Option(help="Keep examples with the same content together. Default: on.", show_default=False)
    ] = True,
    kind: KindOption = None,
    root: Root = None,
    text_column: TextColumn = None,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    fold_column: FoldColumn = None,
    group_column: GroupColumn = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the manifest. Default: off.")] = False,
) -> None:
    """Write a manifest with a split or fold column: stratified by class, seeded, duplicates and groups on one side."""
    from multicnn.data.division import Division, divide, write_manifest
    from multicnn.data.layout import Columns, open_dataset
    from multicnn.errors import UsageError

    if output.suffix.lower() != ".csv":
        raise UsageError(f"{output}: the manifest is written as CSV; give it the ending .csv")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} is there already; --overwrite replaces it")
    columns = Columns(text_column, path_column, label_column, split_column, fold_column, group_column)
    its_kind = _kind(data, kind, columns)
    if data.startswith("sample:") and its_kind != "text":
        raise UsageError(f"{data} has its own parts and lies in no file that a manifest could name")
    if its_kind == "tokens":
        raise UsageError(
            f"{data} holds tagged words, which no manifest names; divide it into train, dev and test files"
        )
    opened = open_dataset(data, its_kind, columns=columns, root=root)
    for note in opened.notes:
        typer.echo(f"multicnn: {note}", err=True)
    examples = divide(opened, Division(val, test, folds, seed, group_duplicates))
    if write_manifest(output, its_kind, examples):
        typer.echo(f"multicnn: the paths are names in the archive; use it with --root {root or data}", err=True)
    for trouble in opened.troubles:
        typer.echo(f"multicnn: {trouble}; it was left out", err=True)
    if opened.troubles:
        raise typer.Exit(3)


@app.command()
def show(
    data: Data,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The picture to write (.png). Needed.")] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", "-r", help="A recipe file, or the name of one. Default: none.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="key.path=value on top of the recipe. Repeatable. Default: none."),
    ] = None,
    kind: KindOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture. Default: off.")] = False,
) -> None:
    """Draw what a network is fed: training pictures (or spectrograms), each as read and after several augmentations."""
    from io import BytesIO

    from multicnn.data.files import write_atomically
    from multicnn.data.layout import Columns
    from multicnn.errors import UsageError
    from multicnn.recipe_files import load_recipe, parse_setting

    if output is None:
        raise UsageError("data show writes a picture; name it, as in -o page.png")
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: the page is written as PNG; give it the ending .png")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} is there already; --overwrite replaces it")
    its_kind = _kind(data, kind, Columns())
    on_top = {"data.path": data} | dict(parse_setting(its_kind, setting) for setting in settings or [])
    resolved = load_recipe(its_kind, recipe, on_top)
    from multicnn.training.contact_sheet import contact_sheet

    content = BytesIO()
    contact_sheet(resolved).save(content, "PNG")
    write_atomically(output, content.getvalue())


@app.command()
def cache(
    *,
    folder: Annotated[
        Path | None, typer.Option(help="What --cache DIR of a training named. Default: the user's folder for caches.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove them all. Default: off.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON. Default: off.")] = False,
) -> None:
    """List what is kept on disk (decoded examples, unpacked archives, word vectors), or remove it."""
    import json

    from multicnn.data.files import user_cache
    from multicnn.data.kept import kept, remove, users_roots
    from multicnn.text.vector_cache import all_kept

    found = kept(folder) if folder else [*kept(*users_roots()), *all_kept()]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    in_use = 0
    for one in found:
        if not as_json:
            place = one["folder"] if "folder" in one else one["files"][0]
            typer.echo(f"{one['bytes'] / 1e6:11,.1f} MB  {one['used']}  {one['data']}  {place}")
        if clear and "folder" in one:
            in_use += not remove(Path(one["folder"]))
        elif clear:
            for file in one["files"]:
                Path(file).unlink(missing_ok=True)
    told = f"{len(found) - in_use} removed" if clear else f"{len(found)} kept"
    told += f" in {folder or user_cache()}" + (f"; {in_use} in use by another command, and kept" if in_use else "")
    typer.echo(f"multicnn: {told}", err=True)


def _kind(data: str, kind: str | None, columns: "Columns") -> "Kind":
    """The kind that was given, or the one that the data tell."""
    from multicnn.data.kind import guess_kind

    return cast("Kind", kind) if kind else guess_kind(data, columns)


def _print(report: "Report") -> None:
    """The report for people: a section each, a line for each finding, and the items under it."""
    for section in report.sections:
        typer.secho(f"\n{section.title}", bold=True)
        for finding in section.findings:
            mark, colour = MARKS[finding.status]
            typer.echo(f"{typer.style(mark, fg=colour)} {finding.message}")
            shown = finding.items if finding.status == "broken" else finding.items[:SHOWN]
            for item in shown:
                typer.echo(f"    {item}")
            if len(shown) < len(finding.items):
                typer.echo(f"    ... and {len(finding.items) - len(shown):,} more; --json names them all")
