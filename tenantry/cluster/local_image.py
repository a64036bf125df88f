"""The service's image, built on this machine and copied to the nodes of a Kind cluster without a registry."""

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tenantry.archives import unpack
from tenantry.console import say, step
from tenantry.errors import CommandError
from tenantry.shipped import INSTALLED, shipped

REPOSITORY: Final = "ml-inference-service"
_SHORT_ID: Final = 12
_CTR: Final = ("ctr", "--namespace=k8s.io", "images")


@contextmanager
def context() -> Iterator[Path]:
    """The folder to build from: the clone, or what the installed package brings."""
    if not INSTALLED:
        yield shipped(".")
        return
    with tempfile.TemporaryDirectory(prefix="tenantry-image-") as folder:
        unpack(shipped("image.tar"), Path(folder))
        yield Path(folder)


def build(tag: str | None = None, *, runtime: str = "text") -> str:
    """Build the image.

    Args:
        runtime: `onnx`: with ONNX Runtime; requires `tag`.
        tag: Its name. Default: a tag that is the image's own id, so that another content has another name, and pods
            are replaced if, and only if, it changed.

    Returns:
        Its name.

    Raises:
        CommandError: The build failed; the message is Docker's.
    """
    # No times in it, and no attestation, which holds times: the same content must be the same name tomorrow.
    name = tag or f"{REPOSITORY}:dev"
    with step("building the service's image"), context() as folder:
        target = ("--target", runtime) if runtime != "text" else ()
        _docker("build", "--quiet", "--build-arg", "SOURCE_DATE_EPOCH=0", *target, "--tag", name, str(folder))
    if tag:
        return tag
    identity = _docker("image", "inspect", "--format", "{{.Id}}", f"{REPOSITORY}:dev").strip()
    name = f"{REPOSITORY}:{identity.removeprefix('sha256:')[:_SHORT_ID]}"
    _docker("tag", f"{REPOSITORY}:dev", name)
    return name


def load(name: str, nodes: Sequence[str], *, stop: threading.Event) -> None:
    """Copy an image to the nodes that do not have it yet.

    Args:
        name: The image.
        nodes: Names of the nodes' containers.
        stop: Stops between two nodes.

    Raises:
        CommandError: A node refused it.
    """
    missing = [node for node in nodes if name not in _docker("exec", node, *_CTR, "list", "--quiet")]
    if not missing:
        say(f"{name} is on every node already")
        return
    with step(f"copying {name} to {len(missing)} nodes"):
        for node in missing:
            if stop.is_set():
                return
            _copy(name, node)


def _copy(name: str, node: str) -> None:
    importing = ["docker", "exec", "--interactive", node, *_CTR, "import", "--digests", "--snapshotter=overlayfs", "-"]
    with subprocess.Popen(["docker", "save", name], stdout=subprocess.PIPE) as saving:
        done = subprocess.run(importing, stdin=saving.stdout, capture_output=True, text=True, check=False)
        if saving.stdout:
            saving.stdout.close()
    if done.returncode or saving.returncode:
        raise CommandError(f"node {node} did not import the image {name}: {done.stderr.strip()}")


def _docker(*arguments: str) -> str:
    environment = os.environ | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    done = subprocess.run(["docker", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"docker {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
