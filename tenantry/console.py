"""Messages of commands: progress goes to standard error, so that standard output has results only."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.console import Console

_PROGRESS: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line about progress."""
    _PROGRESS.print(text, markup=False)


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Show a spinner while the block runs, if there is a terminal; then print what was done and how long it took.

    Args:
        doing: What is being done, as in "starting tenant-a".
    """
    began = time.monotonic()
    with _PROGRESS.status(f"{doing} ..."):
        yield
    say(f"{doing}: {time.monotonic() - began:.1f} s")


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show work of several steps: call the yielded function at the beginning of each step."""
    with _PROGRESS.status("") as status:

        def begin(doing: str) -> None:
            say(doing)
            status.update(f"{doing} ...")

        yield begin


def result(text: str = "", *, bold: bool = False, end: str = "\n") -> None:
    """Print a line of the result, not wrapped, and without colours if the output is not a terminal."""
    typer.secho(text + end, bold=bold, nl=False)
