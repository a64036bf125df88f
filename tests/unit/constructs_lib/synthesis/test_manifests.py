"""The cache and the worker processes change how long a synth takes, and never what it writes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cdk8s import Chart
from cdk8s_plus_28 import ConfigMap
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib import IsolatedTenant, charts
from constructs_lib.dist import write
from constructs_lib.errors import PropsError
from constructs_lib.inputs import ChartInput, inputs
from constructs_lib.names import CACHE_ENV, SUFFIX
from constructs_lib.platform import Platform
from constructs_lib.synthesis import workers
from constructs_lib.synthesis.manifests import synth
from tests.paths import ROOT

Document = dict[str, Any]


def document(*names: str) -> Document:
    return {
        "apiVersion": "tenantry.dev/v1alpha1",
        "platform": {"image": "registry.example/service:1"},
        "tenants": [{"name": name, "model": f"s3://models/{name}/spam"} for name in names],
    }


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv(CACHE_ENV, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the charts that the constructs, and not the cache, wrote in this process."""
    names: list[str] = []
    original = charts.write

    def recording(item: Any, *arguments: Any, **options: Any) -> None:
        names.append(item.name)
        original(item, *arguments, **options)

    monkeypatch.setattr(charts, "write", recording)
    return names


EDITS = st.one_of(
    st.tuples(st.just("autoscaling"), st.fixed_dictionaries({"maxReplicas": st.integers(2, 6)})),
    st.tuples(st.just("alerts"), st.fixed_dictionaries({"quotaRatio": st.sampled_from([0.5, 0.75, 0.9])})),
    st.tuples(st.just("receiver"), st.sampled_from([None, {"type": "webhook", "secretName": "hook"}])),
    st.tuples(st.just("egress"), st.sampled_from([[], [{"cidr": "192.0.2.0/24", "port": 5432}]])),
    st.tuples(st.just("image"), st.sampled_from(["a/b:1", "a/b:2"])),
    st.tuples(st.just("name"), st.sampled_from(["one", "other"])),
    st.tuples(st.just("defaults"), st.sampled_from([{}, {"imagePullSecrets": ["registry"]}])),
    st.tuples(st.just("platform"), st.sampled_from([{}, {"monitoring": {"objectLabels": {"release": "x"}}}])),
    st.tuples(st.just("runbook"), st.sampled_from([{}, {"alerts": {"runbook": "https://runbook.example/"}}])),
)


def edited(data: Document, field: str, value: Any) -> Document:
    """The document with one edit: of the platform, of the defaults or of its first tenant."""
    if field == "platform":
        return {**data, "platform": {**document()["platform"], **value}}
    if field in {"defaults", "runbook"}:
        return {**data, "defaults": value}
    first, *others = data["tenants"]
    first = {**first, field: value}
    return {**data, "tenants": [{**first, "model": f"s3://models/{first['name']}/spam"}, *others]}


@settings(max_examples=12)
@given(edits=st.lists(EDITS, min_size=1, max_size=4))
def test_after_any_edits_the_cache_gives_what_a_full_synth_writes(edits: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_ENV, str(Path(folder, "cache")))
        data = document("one", "two")
        for index, (field, value) in enumerate(edits):
            data = edited(data, field, value)
            platform = Platform.model_validate(data)
            ours, full = Path(folder, f"ours-{index}"), Path(folder, f"full-{index}")
            synth(platform, ours)
            charts.synth(platform, full)
            assert content(ours) == content(full)


@settings(max_examples=12)
@given(edits=st.lists(EDITS, min_size=1, max_size=4), tampered=st.sampled_from(["one", "two", "0-platform"]))
def test_after_any_edits_the_folder_is_what_a_full_synth_writes(edits: list[tuple[str, Any]], tampered: str) -> None:
    """Also if someone edited one of its files, which would otherwise stay."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_ENV, str(Path(folder, "cache")))
        data, target = document("one", "two"), Path(folder, "dist")
        for index, (field, value) in enumerate(edits):
            data = edited(data, field, value)
            platform = Platform.model_validate(data)
            write(platform, target)
            full = Path(folder, f"full-{index}")
            charts.synth(platform, full)
            assert content(target) == content(full)
            edit = target / f"{tampered}{SUFFIX}"
            edit.write_bytes(edit.read_bytes().replace(b"a", b"b", 1) if edit.exists() else b"")


def test_only_what_changed_is_made_anew(cache: Path, written: list[str], tmp_path: Path) -> None:
    data = document("one", "two")
    synth(Platform.model_validate(data), tmp_path / "first")
    assert sorted(written) == ["0-platform", "one", "two"]
    assert cache.is_dir()
    written.clear()
    synth(Platform.model_validate(data), tmp_path / "again")
    assert written == []
    synth(Platform.model_validate(edited(data, "image", "a/b:1")), tmp_path / "changed")
    assert written == ["one"]
    assert content(tmp_path / "again") == content(tmp_path / "first")


def test_a_change_of_one_tenant_writes_one_file(cache: Path, written: list[str], tmp_path: Path) -> None:
    data, target = document("one", "two"), tmp_path / "dist"
    write(Platform.model_validate(data), target)
    written.clear()
    before = {path.name: path.stat().st_ino for path in target.iterdir()}
    assert write(Platform.model_validate(edited(data, "image", "a/b:1")), target)
    assert written == ["one"]
    assert {name for name, inode in before.items() if (target / name).stat().st_ino != inode} == {f"one{SUFFIX}"}
    assert cache.is_dir()


def test_an_override_is_not_confused_with_the_file(cache: Path, tmp_path: Path) -> None:
    platform = Platform.model_validate(document("one"))
    overrides: list[dict[str, Any]] = [{}, {"image": "a/b:1"}, {"model": "s3://models/{tenant}/other"}, {}]
    for index, options in enumerate(overrides):
        synth(platform, tmp_path / f"ours-{index}", **options)
        charts.synth(platform, tmp_path / f"full-{index}", **options)
        assert content(tmp_path / f"ours-{index}") == content(tmp_path / f"full-{index}")
    assert cache.is_dir()


def test_a_tenant_with_constructs_of_its_own_is_always_made_anew(
    cache: Path, written: list[str], tmp_path: Path
) -> None:
    """The cache does not know the code that adds them."""
    platform = Platform.model_validate(document("one", "two"))

    def adding(value: str) -> Callable[[Chart, IsolatedTenant], object]:
        return lambda chart, _: ConfigMap(chart, "words", data={"a": value})

    for value in ("first", "second"):
        written.clear()
        synth(platform, tmp_path / value, extend={"one": adding(value)})
        assert f"a: {value}" in (tmp_path / value / f"one{SUFFIX}").read_text("utf-8")
    assert written == ["one"]
    synth(platform, tmp_path / "without")
    assert "a: " not in (tmp_path / "without" / f"one{SUFFIX}").read_text("utf-8")
    assert cache.is_dir()


@pytest.mark.parametrize("unchecked", [1, workers.UNCHECKED_EACH])
def test_several_processes_write_what_one_writes(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unchecked: int
) -> None:
    monkeypatch.setattr(workers, "count", lambda _: 2)
    monkeypatch.setattr(workers, "UNCHECKED_EACH", unchecked)
    platform = Platform.model_validate(document("one", "two", "three"))
    synth(platform, tmp_path / "ours")
    charts.synth(platform, tmp_path / "full")
    assert content(tmp_path / "ours") == content(tmp_path / "full")
    assert cache.is_dir()


@pytest.mark.parametrize("unchecked", [1, workers.UNCHECKED_EACH])
def test_a_wrong_property_in_another_process_is_the_same_error(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unchecked: int
) -> None:
    monkeypatch.setattr(workers, "count", lambda _: 2)
    monkeypatch.setattr(workers, "UNCHECKED_EACH", unchecked)
    for _ in range(2):
        with pytest.raises(PropsError, match="a tag other than 'latest'"):
            synth(Platform.model_validate(document("one", "two")), tmp_path / "ours", image="service:latest")
    assert cache.is_dir()


def test_what_was_written_before_a_failure_is_in_the_cache(
    cache: Path, written: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a synthesis that was interrupted continues where it stopped."""
    platform = Platform.model_validate(document("one", "two"))
    write_all = workers.write_all

    def fails(items: Sequence[ChartInput], *arguments: Any, **options: Any) -> None:
        write_all([each for each in items if each.name != "two"], *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "count", lambda _: 2)
    monkeypatch.setattr(workers, "write_all", fails)
    with pytest.raises(KeyboardInterrupt):
        synth(platform, tmp_path / "first")
    monkeypatch.setattr(workers, "count", lambda _: 1)
    synth(platform, tmp_path / "again")
    assert written == ["two"]
    assert cache.is_dir()


@pytest.mark.parametrize(("tenants", "expected"), [(2, "True"), (6, "False")])
def test_type_checks_are_switched_off_for_many_tenants(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenants: int, expected: str
) -> None:
    """They take about a tenth of the CPU time."""
    seen = tmp_path / "seen"
    monkeypatch.setattr(workers, "UNCHECKED_EACH", 3)
    monkeypatch.setattr(workers, "_START", f"open({str(seen)!r}, 'w').write(str(__debug__))")
    items = inputs(Platform.model_validate(document(*(f"tenant-{index}" for index in range(tenants)))))
    with pytest.raises(RuntimeError, match="ended with 0"):
        workers.write_all(items[1:], tmp_path, processes=2, written=lambda _: None)
    assert seen.read_text() == expected
    assert not cache.exists()


def test_a_process_that_dies_is_an_error(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "count", lambda _: 2)
    monkeypatch.setattr(workers, "_START", "import os; os._exit(3)")
    with pytest.raises(RuntimeError, match=r"the process that writes '[\w-]+' ended with 3"):
        synth(Platform.model_validate(document("one", "two")), tmp_path / "ours")
    assert not cache.exists()


def test_a_killed_synth_leaves_the_old_dist(tmp_path: Path) -> None:
    """The second tenant's manifest never ends: the process is killed after it has written the first one."""
    target, build = tmp_path / "dist", tmp_path / "build"
    build.mkdir()
    write(Platform.model_validate(document("one")), target)
    before = content(target)
    program = (
        "import sys, time; from pathlib import Path; from constructs_lib import charts, dist; "
        "from constructs_lib.platform import Platform; write = charts.write\n"
        "def slow(item, *rest, **options):\n"
        "    write(item, *rest, **options)\n"
        "    if item.name == 'two': print('half', flush=True); time.sleep(600)\n"
        "charts.write = slow\n"
        "dist.write(Platform.model_validate_json(sys.argv[1]), Path(sys.argv[2]), image='a/b:9')\n"
    )
    arguments = [Platform.model_validate(document("one", "two", "three")).model_dump_json(), str(target)]
    environment = os.environ | {CACHE_ENV: "off", "TMPDIR": str(build)}
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.send_signal(signal.SIGKILL)
    assert content(target) == before


def test_another_process_ends_when_its_input_is_closed(tmp_path: Path) -> None:
    """So it does not survive the process that started it, however that ended."""
    command = [sys.executable, "-c", workers._START, json.dumps(sys.path), workers._MODULE]
    done = subprocess.run(command, input=json.dumps(str(tmp_path)), text=True, capture_output=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("tenants", "cores", "expected"), [(1, 8, 1), (39, 8, 1), (40, 8, 2), (1000, 2, 2), (1000, 64, 8)]
)
def test_processes_are_started_only_for_many_tenants(
    tenants: int, cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert workers.count(tenants) == expected
