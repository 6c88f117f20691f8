"""`python -m multicnn`: the same as the command `multicnn`."""

from multicnn.cli.main import run

run()
