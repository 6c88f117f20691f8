"""multicnn embed: learn word vectors, convert them, look at them, and take them out of a model."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(help="Learn, convert, look up and export word vectors.", no_args_is_help=True)

Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="The file to write: .txt or .vec (word2vec's text), .bin (its binary form), also .gz, or .kv (gensim).",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")]


@app.command()
def train(
    corpus: Annotated[
        str,
        typer.Argument(help="A .txt or .gz file with a text a line, or a data set, whose training part is read."),
    ],
    output: Output,
    *,
    method: Annotated[
        Literal["skipgram", "cbow", "fasttext"], typer.Option(help="word2vec's skip-gram or CBOW, or fastText.")
    ] = "skipgram",
    length: Annotated[int, typer.Option(min=1, help="Numbers of a vector.")] = 100,
    window: Annotated[int, typer.Option(min=1, help="Words on each side that are looked at.")] = 5,
    min_count: Annotated[int, typer.Option(min=1, help="How often a word must occur.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often each text is seen. Default: 5 to 20, the more the less text.")
    ] = None,
    tokenizer: Annotated[str, typer.Option(help="unicode|whitespace|kim, as in text.tokenizer.")] = "unicode",
    text_column: Annotated[
        str | None, typer.Option(help="The manifest's column of texts. Default: text or sentence.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="How many learn at once; only 1 repeats bit for bit. Default: one a core.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides all that is random.")] = 0,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    """Learn word vectors from texts alone. Prints the file; progress goes to stderr."""
    _check(output, overwrite)
    from multicnn.data.decode import default_workers
    from multicnn.recipe_sections import Embed
    from multicnn.text.embed import embed_corpus

    threads = threads or default_workers()
    settings = Embed(method=method, length=length, window=window, min_count=min_count, epochs=epochs or "auto")
    note = (lambda line: None) if quiet else (lambda line: typer.echo(line, err=True))
    troubles = embed_corpus(
        corpus, output, settings, tokenizer=tokenizer, text_column=text_column, threads=threads, seed=seed, note=note
    )
    typer.echo(output)
    for trouble in troubles:
        typer.echo(f"multicnn: {trouble}; it was left out", err=True)
    if troubles:
        raise typer.Exit(3)


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(help="Word vectors: word2vec, fastText (.vec, .bin), GloVe or gensim, also .gz.")
    ],
    target: Annotated[Path, typer.Argument(help="The file to write; its ending says how, as in embed train.")],
    *,
    overwrite: Overwrite = False,
) -> None:
    """Write word vectors in another format. Prints the file."""
    _check(target, overwrite)
    from multicnn.text.vectors import open_vectors, write_vectors

    write_vectors(open_vectors(source), target)
    typer.echo(target)


@app.command()
def neighbours(
    word: Annotated[str, typer.Argument(help="A word, as the vectors have it.")],
    *,
    vectors: Annotated[
        str, typer.Option(help="A file of word vectors, or a run, whose own are taken.", show_default=False)
    ],
    top: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object, word to cosine.")] = False,
) -> None:
    """Show the words whose vectors point most nearly the same way, with the cosine of the angle."""
    from multicnn.text.embed import nearest
    from multicnn.text.learned import vectors_of

    found = nearest(vectors_of(vectors), word, top)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    width = max(map(len, found))
    for other, cosine in found.items():
        typer.echo(f"{other:{width}}  {cosine:.4f}")


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="A run for texts, or its model/.")],
    output: Output,
    *,
    overwrite: Overwrite = False,
) -> None:
    """Write the word vectors that a model has learned. Prints the file."""
    _check(output, overwrite)
    from multicnn.text.learned import learned_vectors
    from multicnn.text.vectors import write_vectors

    write_vectors(learned_vectors(run), output)
    typer.echo(output)


def _check(output: Path, overwrite: bool) -> None:
    """
    Raises:
        UsageError: the file is there, or its ending means no format.
    """
    from multicnn.errors import UsageError
    from multicnn.text.vectors import vectors_format

    vectors_format(output)
    if output.exists() and not overwrite:
        raise UsageError(f"{output} is there already; --overwrite replaces it")
