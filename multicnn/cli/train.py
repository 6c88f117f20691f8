"""multicnn train image|audio|text: from a data set to a measured model."""

import inspect
from typing import Annotated, Any, Literal

import typer

from multicnn.cli.clock import STARTED
from multicnn.cli.options import Workers, option

app = typer.Typer(help="Train a classifier for images, sounds or texts.", no_args_is_help=True)

# The recipe key that each option sets; an option that is not given leaves its key alone.
KEYS = {
    "task": "pipeline",
    "data": "data.path",
    "root": "data.root",
    "val": "data.validation",
    "test": "data.test",
    "folds": "data.folds",
    "fold": "data.fold",
    "text_column": "data.text_column",
    "path_column": "data.path_column",
    "label_column": "data.label_column",
    "split_column": "data.split_column",
    "fold_column": "data.fold_column",
    "group_column": "data.group_column",
    "cache": "data.cache",
    "workers": "data.workers",
    "frontend": "audio.frontend",
    "vectors": "text.vectors",
    "vectors_mode": "text.vectors_mode",
    "arch": "model.arch",
    "weights": "model.weights",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "optimizer": "training.optimizer",
    "lr": "training.lr",
    "schedule": "training.schedule",
    "freeze": "training.freeze",
    "loss": "training.loss",
    "seed": "training.seed",
    "ensemble": "training.ensemble",
    "device": "training.device",
    "precision": "training.precision",
    "compile": "training.compile",
    "time_budget": "training.time_budget",
}
# Options that not every pipeline has.
ONLY = {
    "cache": ("image", "audio"),
    "frontend": ("audio",),
    "task": ("text",),
    "vectors": ("text",),
    "vectors_mode": ("text",),
}


Text = str | None
DataArgument = Annotated[
    Text,
    typer.Argument(
        help="A folder of classes, a manifest (.csv .tsv .jsonl .parquet), a .tar archive, or sample:NAME.",
        show_default=False,
    ),
]
Output = Annotated[Text, option("--output", "-o", help="The run's folder. Default: runs/<pipeline>/<name>.")]
Name = Annotated[Text, option("--name", help="The run's name under runs/<pipeline>. Default: the data's name.")]
RecipeName = Annotated[
    Text,
    option(
        "--recipe",
        "-r",
        help="A recipe file, or the name of one (see multicnn recipes list). Default: none.",
    ),
]
Settings = Annotated[
    list[str] | None,
    option("--set", "-s", help="key.path=value on top of the recipe: training.lr=0.01. Repeatable. Default: none."),
]
Arch = Annotated[
    Text,
    option(
        "--arch",
        help="The network: lenet, densenet121, torchvision:NAME, ..., or its layers: '[conv3-64 bn relu pool2]*3 fc'. "
        "Default: auto.",
    ),
]
Weights = Annotated[
    Text,
    option(
        "--weights",
        help="What to start from: auto|imagenet|none|FILE|RUN. Default: auto, ImageNet if possible.",
    ),
]
Epochs = Annotated[
    int | None, option("--epochs", help="How often each example is seen. Default: auto, by the number of examples.")
]
BatchSize = Annotated[
    Text,
    option(
        "--batch-size",
        help="Examples a step: N, or auto, the most that fit a GPU. Default: by the number of examples.",
    ),
]
Optimizer = Annotated[Text, option("--optimizer", help="auto|adamw|adam|sgd|adadelta|muon. Default: auto, adamw.")]
Lr = Annotated[Text, option("--lr", help="The highest learning rate; find tries it in up to 100 steps. Default: auto.")]
Schedule = Annotated[
    Text,
    option(
        "--schedule",
        help="cosine|linear|onecycle|step|plateau|constant: the learning rate over the training. Default: cosine.",
    ),
]
Freeze = Annotated[
    Text,
    option("--freeze", help="What keeps its weights: the first N stages, or backbone, all but the head. Default: 0."),
]
Loss = Annotated[
    Text,
    option(
        "--loss",
        help="auto|cross_entropy|hinge|focal|margin. Default: auto, the network's own, mostly cross_entropy.",
    ),
]
Seed = Annotated[int | None, option("--seed", help="Decides all that is random. Default: 0.")]
Ensemble = Annotated[
    int | None,
    option("--ensemble", help="Train so many members from other seeds, and one model of their mean. Default: 1."),
]
Device = Annotated[Text, option("--device", help="auto|cpu|cuda|cuda:N|mps. Default: auto.")]
Precision = Annotated[
    Text, option("--precision", help="auto|fp32|bf16|fp16. Default: auto, bf16 where the hardware computes in it.")
]
Compile = Annotated[
    Text, option("--compile", help="auto|on|off: torch.compile. Default: auto, on CUDA where it takes long enough.")
]
Val = Annotated[
    Text,
    option(
        "--val",
        help="The validation part: a fraction of the training part, or a data set. Default: the data has it, or 0.1.",
    ),
]
Test = Annotated[Text, option("--test", help="The test part, a data set. Default: the data's own, if it has one.")]
Root = Annotated[
    Text,
    option(
        "--root",
        help="What the paths in a manifest are relative to; may be an archive. Default: the manifest's folder.",
    ),
]
Folds = Annotated[
    Text,
    option(
        "--folds",
        help="Train once per fold, each in its turn the test part: a number, or column, the manifest's own. "
        "Default: none.",
    ),
]
Fold = Annotated[Text, option("--fold", help="The fold to hold out as the test part. Default: none.")]
TextColumn = Annotated[Text, option("--text-column", help="The manifest's column of texts. Default: text or sentence.")]
PathColumn = Annotated[
    Text,
    option("--path-column", help="The manifest's column of paths. Default: path, file, filename, image or audio."),
]
LabelColumn = Annotated[
    Text, option("--label-column", help="The manifest's column of classes. Default: label, class, category or target.")
]
SplitColumn = Annotated[Text, option("--split-column", help="The manifest's column of parts. Default: split.")]
FoldColumn = Annotated[Text, option("--fold-column", help="The manifest's column of folds. Default: fold.")]
GroupColumn = Annotated[
    Text,
    option("--group-column", help="A column, such as speaker; no group is ever on both sides. Default: none."),
]
Cache = Annotated[
    Text,
    option(
        "--cache",
        help="Where decoded files are kept for the next training: auto|on|off|DIR. Default: auto, in the user's folder "
        "for caches where decoding takes 2 s or more.",
    ),
]
FrontEnd = Annotated[
    Text,
    option(
        "--frontend",
        help="auto|logmel|mel3|pcen|mfcc|cqt|waveform: what the network hears. Default: auto, logmel for most.",
    ),
]
Task = Annotated[
    Literal["text", "tokens"] | None,
    option(
        "--task",
        help="What gets a class: text, each text, or tokens, each word, by its BIO tag (.conll, .txt or .iob files, "
        "a word and its tag a line). Default: text.",
    ),
]
Vectors = Annotated[
    Text,
    option(
        "--vectors",
        help="Word vectors to start from: a file (word2vec, fastText, GloVe, gensim, also .gz), or train: learn them "
        "from the training texts first. Default: none.",
    ),
]
VectorsMode = Annotated[
    Text,
    option(
        "--vectors-mode",
        help="auto|rand|static|nonstatic|multichannel: whether vectors are learned. Default: auto, they are.",
    ),
]
TimeBudget = Annotated[
    Text, option("--time-budget", help="90s, 10m or 2h from the start of the command to its end. Default: none.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in the output folder, as it was.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check data and recipe, print the plan, start nothing.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the figures (or the plan) as JSON instead of the run's path.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


def _command(kind: str) -> Any:
    """The command of one pipeline; some options are for one of them only."""

    def common(
        data: DataArgument = None,
        output: Output = None,
        name: Name = None,
        recipe: RecipeName = None,
        set_: Settings = None,
        arch: Arch = None,
        weights: Weights = None,
        epochs: Epochs = None,
        batch_size: BatchSize = None,
        optimizer: Optimizer = None,
        lr: Lr = None,
        schedule: Schedule = None,
        freeze: Freeze = None,
        loss: Loss = None,
        seed: Seed = None,
        ensemble: Ensemble = None,
        device: Device = None,
        precision: Precision = None,
        compile: Compile = None,
        val: Val = None,
        test: Test = None,
        root: Root = None,
        folds: Folds = None,
        fold: Fold = None,
        text_column: TextColumn = None,
        path_column: PathColumn = None,
        label_column: LabelColumn = None,
        split_column: SplitColumn = None,
        fold_column: FoldColumn = None,
        group_column: GroupColumn = None,
        cache: Cache = None,
        workers: Workers = None,
        frontend: FrontEnd = None,
        task: Task = None,
        vectors: Vectors = None,
        vectors_mode: VectorsMode = None,
        time_budget: TimeBudget = None,
        resume: Resume = False,
        overwrite: Overwrite = False,
        dry_run: DryRun = False,
        as_json: AsJson = False,
        quiet: Quiet = False,
    ) -> None:
        given = {key: value for key, value in locals().items() if key in KEYS and value is not None}
        _run(
            given.pop("task", kind), given, set_ or [], recipe, output, name, resume, overwrite, dry_run, as_json, quiet
        )

    signature = inspect.signature(common)
    kept = [one for name, one in signature.parameters.items() if kind in ONLY.get(name, (kind,))]
    common.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return common


for _kind, _what in (("image", "pictures"), ("audio", "sounds"), ("text", "texts")):
    app.command(_kind, help=f"Train a classifier for {_what}. Prints the run's folder.")(_command(_kind))


def _run(
    kind: str,
    given: dict[str, Any],
    settings: list[str],
    recipe: str | None,
    output: str | None,
    name: str | None,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Builds the recipe, finds the folder, trains, prints."""
    import json

    from multicnn.errors import UsageError
    from multicnn.recipe import command_of
    from multicnn.recipe_files import load_recipe, parse_setting
    from multicnn.training.run_folder import run_folder

    on_top = {KEYS[key]: value for key, value in given.items()}
    on_top |= dict(parse_setting(kind, setting) for setting in settings)
    if resume:
        if on_top or recipe or overwrite or dry_run or not (output or name):
            command = f"multicnn train {command_of(kind)} --output DIR --resume"
            raise UsageError(f"--resume takes everything from the run; say just: {command}")
        run = run_folder(kind, output, name, "")
        run.require()
        resolved = load_recipe(kind, str(run.config))
    else:
        resolved = load_recipe(kind, recipe, on_top)
        run = run_folder(kind, output, name, resolved.data.path)
    if not resume:
        run.check(overwrite)
    if dry_run:
        from multicnn.training.dry_run import dry_run as outline_plan
        from multicnn.training.dry_run import print_plan

        plan = outline_plan(resolved, run)
        typer.echo(json.dumps(plan, ensure_ascii=False)) if as_json else print_plan(plan)
        return
    from multicnn.training.carry_out import carry_out
    from multicnn.training.progress import Reporter

    outcome = carry_out(resolved, run, Reporter(quiet), STARTED, resume)
    typer.echo(
        json.dumps({"run": str(outcome.run), **outcome.metrics}, ensure_ascii=False) if as_json else str(outcome.run)
    )
    if outcome.troubles:
        raise typer.Exit(3)
