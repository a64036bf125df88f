"""`pip install tenantry` on a machine that has Python and nothing else: the base image of the service.

The user is not root, and can write nowhere but in the project's folder and /tmp. The tests run in their order.
"""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.wheel.conftest import Distributions

BASE: Final = os.environ.get("BASE") or "python:3.11-slim"
USER: Final = 1000
HOME: Final = "/home/user"
PROJECT: Final = f"{HOME}/project"
ENVIRONMENT: Final = {
    "HOME": HOME,
    "PATH": f"{PROJECT}/.venv/bin:/usr/local/bin:/usr/bin:/bin",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    # Behind a proxy with its own certificate authority, Node must trust the system's certificates, as pip does.
    "NODE_USE_SYSTEM_CA": "1",
}
TEMPORARY: Final = "/tmp:exec"  # noqa: S108 - in the container
TIMEOUT_SECONDS: Final = 600
SERVE_AND_ASK: Final = """\
tenantry serve --model build/models/mails --port 8601 & server=$!
python - <<'PYTHON'
import time, urllib.request
request = urllib.request.Request(
    "http://127.0.0.1:8601/predict", b'{"text": "win a prize number 3"}', {"content-type": "application/json"}
)
for attempt in range(300):
    try:
        print(urllib.request.urlopen(request).read().decode())
        break
    except OSError:
        time.sleep(0.1)
PYTHON
kill $server
wait $server || true
"""


@dataclass(frozen=True)
class Container:
    """A running container with the project's folder inside its home folder."""

    name: str

    def run(self, script: str, *, code: int = 0) -> str:
        """Run a shell script in the project, check its exit code, and return all that it printed."""
        variables = [argument for name, value in ENVIRONMENT.items() for argument in ("--env", f"{name}={value}")]
        done = subprocess.run(
            ["docker", "exec", *variables, "--workdir", PROJECT, self.name, "sh", "-euc", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def container(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The base image, hardened, with one writable folder that contains the wheel."""
    folder = tmp_path_factory.mktemp("container")
    wheel = folder / distributions.compiled.name
    shutil.copy(distributions.compiled, wheel)
    folder.chmod(0o755)
    name = f"tenantry-wheel-{uuid.uuid4().hex[:8]}"
    run = ["docker", "run", "--rm", "--init", "--detach", "--name", name, "--user", f"{USER}:{USER}", "--read-only"]
    hardened = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", TEMPORARY]
    writable = ["--tmpfs", f"{PROJECT}:exec,uid={USER},gid={USER},mode=0755", "--volume", f"{folder}:/wheel:ro"]
    command = [*run, *hardened, *writable, BASE, "sleep", str(3 * TIMEOUT_SECONDS)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    try:
        yield Container(name)
    finally:
        subprocess.run(["docker", "kill", name], check=False, capture_output=True)


def test_the_container_has_python_and_a_home_that_cannot_be_written(container: Container) -> None:
    """The other tests mean something only then."""
    assert container.run("id -u").strip() == str(USER)
    container.run("touch $HOME/x", code=1)
    assert container.run("for each in node npm git make gcc docker kubectl; do command -v $each || true; done") == ""


def test_the_wheel_is_installed_and_a_project_created(container: Container) -> None:
    container.run('python3 -m venv .venv && pip install --quiet "$(echo /wheel/*.whl)[serve,train]" pytest syrupy')
    assert "wrote platform.yaml" in container.run("tenantry init")


def test_manifests_are_written_and_planned(container: Container) -> None:
    container.run("tenantry synth")
    assert container.run("ls dist").split() == ["0-platform.k8s.yaml", "tenant-a.k8s.yaml", "tenant-b.k8s.yaml"]
    assert "total" in container.run("tenantry plan")


def test_a_model_of_ones_own_texts_is_trained_and_served(container: Container) -> None:
    rows = "".join(rf"win a prize number {n},spam\nsee you at meeting {n},ham\n" for n in range(50))
    container.run(f"printf 'text,label\\n{rows}' > mails.csv")
    assert "accuracy" in container.run("tenantry train --data mails.csv --output build/models/mails")
    assert '{"prediction":"spam"' in container.run(SERVE_AND_ASK)


def test_the_demo_fetches_its_corpus(container: Container) -> None:
    """Into the project, because there is no other folder that can be written."""
    assert '{"prediction":"spam"' in container.run("tenantry demo")
    assert "spam-assassin" in container.run("ls build/cache")


def test_the_cli_of_cdk8s_says_how_to_install_it_and_then_works(container: Container) -> None:
    said = container.run("cdk8s synth", code=1)
    assert "run: npm_config_cache=build/npm npm ci" in said
    container.run("npm_config_cache=build/npm npm ci --ignore-scripts --no-audit --no-fund")
    assert "build/synth/tenant-a.k8s.yaml" in container.run("rm -r dist && cdk8s synth")


def test_the_projects_own_test_passes(container: Container) -> None:
    assert "4 passed" in container.run("pytest -q")
