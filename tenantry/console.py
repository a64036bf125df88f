"""What commands say while they work: on standard error, so that standard output holds results only."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.console import Console

_PROGRESS: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line about what is going on."""
    _PROGRESS.print(text, markup=False)


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Show that something is being done, on a terminal with a spinner, then that it is done and how long it took.

    Args:
        doing: What is being done, as in "starting tenant-a".
    """
    began = time.monotonic()
    with _PROGRESS.status(f"{doing} ..."):
        yield
    say(f"{doing}: {time.monotonic() - began:.1f} s")


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show work of several steps: call what this gives with each step as it begins."""
    with _PROGRESS.status("") as status:

        def begin(doing: str) -> None:
            say(doing)
            status.update(f"{doing} ...")

        yield begin


def result(text: str = "", *, bold: bool = False, end: str = "\n") -> None:
    """Print a line of the result, as it is: not wrapped, not coloured where nobody looks."""
    typer.secho(text + end, bold=bold, nl=False)
