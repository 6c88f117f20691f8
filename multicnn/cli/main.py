"""The front door: the table of commands, and one line for every error."""

import os
import sys
import traceback
from typing import Annotated, Any

import typer

import multicnn
from multicnn.cli import arch, data, embed, recipes, train
from multicnn.cli.drift import drift
from multicnn.cli.ensemble import ensemble
from multicnn.cli.evaluate import evaluate
from multicnn.cli.features import features
from multicnn.cli.info import info
from multicnn.cli.predict import predict
from multicnn.errors import MulticnnError, did_you_mean

# Newer versions of typer carry click inside, older ones import it: these are its errors in both.
UsageError: type[Exception]
ClickException: type[Exception]
UsageError, ClickException = typer.BadParameter.__mro__[1:3]

app = typer.Typer(
    name="multicnn",
    help="Train, use and measure convolutional classifiers for images, sounds and texts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help"]},
)
app.add_typer(train.app, name="train")
app.command()(predict)
app.command()(evaluate)
app.command()(features)
app.command()(ensemble)
app.command()(info)
app.command()(drift)
app.add_typer(data.app, name="data")
app.add_typer(embed.app, name="embed")
app.add_typer(recipes.app, name="recipes")
app.add_typer(arch.app, name="arch")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"multicnn {multicnn.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
) -> None:
    """Train, use and measure convolutional classifiers for images, sounds and texts."""


def run() -> None:
    """Runs the command line; every failure is one line on stderr and an exit status (see docs/exit-statuses.md)."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        status = app(standalone_mode=False)
    except MulticnnError as error:
        status = _fail(str(error), error.status, debug, getattr(error, "details", ""))
    except UsageError as error:
        nothing_asked = type(error).__name__ == "NoArgsIsHelpError"  # its message is the whole help
        status = _help(error) if nothing_asked else _fail(_explain(error), 2, debug)
    except ClickException as error:
        status = _fail(str(error), 1, debug)
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:
        status = _fail(f"{type(error).__name__}: {error}; --debug shows where", 1, debug)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int, debug: bool, details: str = "") -> int:
    """One line that says what is wrong; below it, where there are any, details such as a pattern with a caret."""
    if debug:
        traceback.print_exc()
    print("multicnn: " + " ".join(message.split()), file=sys.stderr)
    if details:
        print(details, file=sys.stderr)
    return status


def _help(error: Any) -> int:
    print(error.format_message(), file=sys.stderr)
    return 2


def _explain(error: Any) -> str:
    """Click's words in one line, with the nearest option or command and where to read more."""
    context = error.ctx
    message = error.format_message().rstrip(".").removeprefix("Value error, ")
    if message.startswith("No such option"):
        wrong = error.option_name
        message = f"no option {wrong}{did_you_mean(wrong, error.possibilities or [])}"
    if context is None:
        return str(message)
    commands = getattr(context.command, "commands", {})
    if commands and message.startswith("No such command"):
        wrong = message.split("'")[1]
        message = f"no command {wrong}{did_you_mean(wrong, commands)}"
    hint = "" if "did you mean" in message.lower() else f"; see {context.command_path} --help"
    return f"{message[0].lower()}{message[1:]}{hint}"


if __name__ == "__main__":
    run()
