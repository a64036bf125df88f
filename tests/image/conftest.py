"""An image of this checkout, and containers that do not outlive their test."""

import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from inference import contract
from tests.models import write_tiny_model
from tests.paths import ROOT

LOCKED_DOWN = (
    "--read-only", "--cap-drop", "ALL", "--user", "1000", "--security-opt", "no-new-privileges",
    "--memory", "512m", "--cpus", "0.5",
)  # fmt: skip
"""How a tenant's pod runs it, in Docker's words."""


def docker(*arguments: str) -> str:
    """What a docker command prints; its failure is the test's, with what it said."""
    done = subprocess.run(["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout.strip()


class Entry(NamedTuple):
    """One file, folder or link of an image: all that a build decides about it."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    content: str


@dataclass(frozen=True)
class Image:
    """A built image."""

    id: str

    @property
    def config(self) -> dict[str, Any]:
        """Its settings, as `docker image inspect` shows them."""
        config: dict[str, Any] = json.loads(docker("image", "inspect", self.id))[0]["Config"]
        return config

    def files(self) -> dict[str, Entry]:
        """Its files by path, without those that Docker puts into every container."""
        container = docker("create", self.id)
        try:
            with (
                subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
                tarfile.open(fileobj=export.stdout, mode="r|") as archive,
            ):
                found = {member.name: _entry(archive, member) for member in archive}
        finally:
            docker("rm", "--force", container)
        return {path: entry for path, entry in found.items() if path not in _DOCKERS_OWN}

    def run(self, *command: str) -> str:
        """What a command prints in a locked down container."""
        return docker("run", "--rm", "--network", "none", *LOCKED_DOWN, self.id, *command)


_DOCKERS_OWN = {
    ".dockerenv", "dev/console", "dev/pts", "dev/shm", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf",
}  # fmt: skip


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    stream = archive.extractfile(member) if member.isfile() else None
    content = hashlib.sha256(stream.read()).hexdigest() if stream else member.linkname
    return Entry(member.type, member.mode, (member.uid, member.gid), content)


@pytest.fixture(scope="session")
def build() -> Iterator[Callable[..., Image]]:
    """Builds an image of this checkout with docker's own options; all are removed at the end."""
    built: list[str] = []

    def run(*options: str) -> Image:
        image = Image(docker("build", "--quiet", *options, "."))
        built.append(image.id)
        return image

    yield run
    for identity in set(built):
        docker("image", "rm", "--force", identity)


@pytest.fixture(scope="session")
def image(build: Callable[..., Image]) -> Image:
    """The image as `make image` builds it, or the one that IMAGE_UNDER_TEST names."""
    given = os.environ.get("IMAGE_UNDER_TEST")
    return Image(given) if given else build()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that anybody may read."""
    return readable_by_all(write_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


def readable_by_all(folder: Path) -> Path:
    """Let any user read a folder of pytest's, and return it."""
    for path in (folder.parent.parent, folder.parent, folder):
        path.chmod(0o755)
    return folder


class Container(NamedTuple):
    """A running service."""

    id: str
    url: str

    def logs(self) -> str:
        """What it printed so far, on both outputs."""
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


Serve = Callable[..., AbstractContextManager[Container]]


@pytest.fixture(scope="session")
def serve(image: Image, model: Path) -> Serve:
    """Runs the image locked down, with the model mounted, until the block ends."""
    return partial(serving, image, model)


@contextmanager
def serving(image: Image, model: Path, *command: str) -> Iterator[Container]:
    """Run an image locked down, with a model mounted, until the block ends."""
    container = docker(
        "run", "--detach", "--publish", f"127.0.0.1::{contract.PORT}", "--volume", f"{model}:/model:ro",
        "--env", f"{contract.ENV_PREFIX}MODEL_URI=file:/model", *LOCKED_DOWN, image.id, *command,
    )  # fmt: skip
    try:
        running = Container(container, f"http://{docker('port', container, str(contract.PORT)).splitlines()[0]}")
        _wait_until_ready(running)
        yield running
    finally:
        docker("rm", "--force", container)


def _wait_until_ready(container: Container) -> None:
    transport = httpx.HTTPTransport(retries=3)
    with httpx.Client(transport=transport, trust_env=False, timeout=2) as client:
        for _ in range(300):
            if docker("inspect", "--format", "{{.State.Running}}", container.id) != "true":
                break
            try:
                if client.get(container.url + contract.READINESS_PATH).is_success:
                    return
            except httpx.TransportError:
                pass
    pytest.fail(f"the service did not become ready:\n{container.logs()}")
