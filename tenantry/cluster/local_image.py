"""The service's image, built here and put on the nodes of a Kind cluster, without a registry between."""

import os
import subprocess
import threading
from collections.abc import Sequence
from typing import Final

from tenantry.console import say, step
from tenantry.errors import CommandError

REPOSITORY: Final = "ml-inference-service"
_SHORT_ID: Final = 12
_CTR: Final = ("ctr", "--namespace=k8s.io", "images")


def build() -> str:
    """Build the image from this folder's Dockerfile.

    Returns:
        Its name, whose tag is the image's own id: other content is another name, so that pods are replaced when, and
        only when, it changed.

    Raises:
        CommandError: The build failed; the message is Docker's.
    """
    # No times in it, and no attestation, which holds times: the same content must be the same name tomorrow.
    with step("building the service's image"):
        _docker("build", "--quiet", "--build-arg", "SOURCE_DATE_EPOCH=0", "--tag", f"{REPOSITORY}:dev", ".")
    identity = _docker("image", "inspect", "--format", "{{.Id}}", f"{REPOSITORY}:dev").strip()
    name = f"{REPOSITORY}:{identity.removeprefix('sha256:')[:_SHORT_ID]}"
    _docker("tag", f"{REPOSITORY}:dev", name)
    return name


def load(name: str, nodes: Sequence[str], *, stop: threading.Event) -> None:
    """Put an image on the nodes that do not have it yet.

    Args:
        name: The image.
        nodes: Names of the nodes' containers.
        stop: Ends it between two nodes.

    Raises:
        CommandError: A node refused it.
    """
    missing = [node for node in nodes if name not in _docker("exec", node, *_CTR, "list", "--quiet")]
    if not missing:
        say(f"{name} is on every node")
        return
    with step(f"putting {name} on {len(missing)} nodes"):
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
        raise CommandError(f"node {node} did not take the image {name}: {done.stderr.strip()}")


def _docker(*arguments: str) -> str:
    environment = os.environ | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    done = subprocess.run(["docker", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"docker {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
