"""Run a module of this package in a process of its own, with bounded time and memory: what it loads may be hostile."""

import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.errors import ConversionError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What loading may use: seconds, and bytes of memory."""

    timeout_seconds: float = 300
    memory_bytes: int = 8 * 2**30


DEFAULT_LIMITS: Final = Limits()


def run_module(module: str, subject: Path, arguments: list[str | Path], limits: Limits) -> None:
    """Run `python -m module BYTES ARGUMENTS`; it calls `limit_memory` with the first of them.

    Args:
        module: its last line on standard error says why it fails.
        subject: the file that errors name.
        arguments: of the module.
        limits: time and memory.

    Raises:
        ConversionError: it failed, or took too long.
    """
    command = [sys.executable, "-m", module, str(limits.memory_bytes), *map(str, arguments)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=limits.timeout_seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConversionError(f"{subject}: not loaded and converted after {limits.timeout_seconds:g} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"]
        raise ConversionError(f"{subject}: {lines[-1].removeprefix('error: ')}")


def limit_memory(limit: str) -> None:
    """Let this process use at most so many bytes."""
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
