"""What the image is, holds and does: built twice, looked into, and run as locked down as a tenant's pod."""

import re
import subprocess
from collections.abc import Callable

import httpx
import pytest

from inference import contract
from tests.image.conftest import Image, Serve, docker

COMPRESSED_BYTES = 90_000_000
"""Goal for what a node has to pull."""


def test_two_builds_hold_the_same_files(image: Image, build: Callable[..., Image]) -> None:
    """Nothing of the day or of the machine gets in: paths, modes, owners and bytes are equal."""
    first, second = image.files(), build("--no-cache").files()
    assert len(first) > 1000
    assert sorted(path for path in first | second if first.get(path) != second.get(path)) == []


def test_runs_as_the_contract_says(image: Image) -> None:
    """Kubernetes probes it, so that it has no HEALTHCHECK; user, port and command are those that `dist/` relies on."""
    config = image.config
    assert config["User"] == f"{contract.USER_ID}:{contract.USER_ID}"
    assert list(config["ExposedPorts"]) == [f"{contract.PORT}/tcp"]
    assert config["Cmd"] == ["env", "--block-signal=TERM,INT", "python", "-m", "inference"]
    assert not config.get("Entrypoint")
    assert not config.get("Healthcheck")


def test_says_what_it_is(build: Callable[..., Image]) -> None:
    """The OCI labels have the version, the revision and the source that the build was given."""
    told = {"VERSION": "1.2.3", "REVISION": "c0ffee", "SOURCE": "https://example.org/fork"}
    labels = build(*(f"--build-arg={name}={value}" for name, value in told.items())).config["Labels"]
    prefix = "org.opencontainers.image."
    assert {labels[f"{prefix}{name.lower()}"] for name in told} == set(told.values())
    assert labels[f"{prefix}licenses"] == "Apache-2.0"
    assert labels[f"{prefix}title"]


@pytest.mark.parametrize(
    "name", ["pip", "setuptools", "wheel", "ensurepip", "sklearn", "numpy", "scipy", "pandas", "Cython", "cdk8s"]
)
def test_cannot_import(image: Image, name: str) -> None:
    """What installs, builds or trains is not there."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is not None)"
    image.run("python", "-c", code)


def test_holds_no_tool_and_no_leftover(image: Image) -> None:
    """No compiler, no pip, no cache, no sources of the compiled scorer, no test."""
    tool = re.compile(
        r"(^|/)s?bin/(cc|gcc[^/]*|[cg]\+\+[^/]*|ld|as|make|pip[^/]*)$"
        r"|\.(pyx|a|whl|c|o)$|/\.cache/|site-packages/.*/tests/"
    )
    assert [path for path in image.files() if tool.search(path)] == []


def test_any_user_can_read_the_service_and_none_can_change_it(image: Image) -> None:
    """Whatever the umask of the clone was: readable by all, writable by root alone."""
    modes = {path: entry.mode for path, entry in image.files().items() if path.startswith("opt/tenantry/lib/")}
    assert len(modes) > 500
    assert {path for path, mode in modes.items() if mode & 0o444 != 0o444 or (mode & 0o022 and mode != 0o777)} == set()


def test_its_bytecode_asks_for_no_time_stamp(image: Image) -> None:
    """A read-only file system cannot take bytecode: every module has it, bound to no time stamp (PEP 552)."""
    code = """
import pathlib, sysconfig
from importlib.util import cache_from_source
for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}:
    for module in pathlib.Path(folder).rglob("*.py"):
        print(module, pathlib.Path(cache_from_source(module)).read_bytes()[4:8].hex())
"""
    modules = dict(line.rsplit(" ", 1) for line in image.run("python", "-c", code).splitlines())
    assert len(modules) > 500
    assert {module for module, flags in modules.items() if flags != "01000000"} == set()


def test_answers_with_a_read_only_root_and_no_rights(serve: Serve) -> None:
    """It serves from a mounted folder, compiled, and ends by itself when it is asked to."""
    with serve() as service:
        answer = httpx.post(service.url + contract.PREDICT_PATH, json={"text": "cheap pills"}, trust_env=False)
        assert answer.status_code == httpx.codes.OK, answer.text
        assert set(answer.json()) >= {"prediction", "confidence"}
        metrics = httpx.get(service.url + contract.METRICS_PATH, trust_env=False).text
        assert re.search(rf'{contract.BUILD_INFO}{{[^}}]*scorer="compiled"', metrics)
        docker("stop", "--time", "10", service.id)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", service.id) == "0", service.logs()


def test_holds_no_package_that_serving_does_not_import(image: Image, serve: Serve) -> None:
    """Every distribution in it is imported by a service that has answered on each kind of route."""
    with serve("python", "-X", "importtime", "-m", "inference") as service:
        with httpx.Client(base_url=service.url, trust_env=False) as client:
            for path in (contract.DOCS_PATH, "/openapi.json", contract.METRICS_PATH, contract.PROTOCOL_PATH):
                assert client.get(path).is_success, path
            assert client.post(contract.PREDICT_PATH, json={"text": "cheap pills"}).is_success
        imported = {
            line.rsplit("|", 1)[1].strip().partition(".")[0] for line in service.logs().splitlines() if "|" in line
        }
    code = """
from importlib.metadata import packages_distributions
for module, distributions in packages_distributions().items():
    print(module, *distributions)
"""
    owners: dict[str, set[str]] = {}
    for top, *names in map(str.split, image.run("python", "-c", code).splitlines()):
        for name in names:
            owners.setdefault(name, set()).add(top)
    assert len(owners) > 10
    assert {name for name, tops in owners.items() if not tops & imported} == set()


def test_weighs_less_than_the_goal(image: Image, record_property: Callable[[str, object], None]) -> None:
    """What `docker save | gzip` gives stays below the goal."""
    with subprocess.Popen(["docker", "save", image.id], stdout=subprocess.PIPE) as saved:
        zipped = subprocess.run(["gzip", "-c"], stdin=saved.stdout, capture_output=True, check=True).stdout
    record_property("compressed_bytes", len(zipped))
    assert 10_000_000 < len(zipped) < COMPRESSED_BYTES
