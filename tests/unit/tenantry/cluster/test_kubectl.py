"""What kubectl's answers mean."""

import subprocess
from pathlib import Path

import pytest

from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError

NEW_NAMESPACE = 'Error from server (NotFound): namespaces "tenant-c" not found'


class Answering(Kubectl):
    """A kubectl with one answer."""

    def __init__(self, returncode: int, stderr: str = "") -> None:
        super().__init__(kubeconfig=None, context="test")
        object.__setattr__(self, "answer", (returncode, stderr))

    def try_run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The answer, whatever the arguments."""
        del stdin
        returncode, stderr = self.answer  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(arguments, returncode, stdout="", stderr=stderr)


@pytest.mark.parametrize(
    ("returncode", "stderr", "differs"), [(0, "", False), (1, "", True), (2, NEW_NAMESPACE, True), (2, "", None)]
)
def test_a_namespace_that_does_not_exist_yet_is_a_difference(returncode: int, stderr: str, differs: object) -> None:
    """Kubectl diff fails for objects in a new tenant's namespace; every other failure is an error."""
    kubectl = Answering(returncode, stderr)
    if differs is None:
        with pytest.raises(CommandError, match="kubectl diff failed"):
            kubectl.differs(Path("dist"))
    else:
        assert kubectl.differs(Path("dist")) is differs
