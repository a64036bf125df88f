"""`tenantry up` and `down` say what is missing, and never touch a cluster that is not theirs."""

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from constructs_lib.platform import Platform
from tenantry.cli import app
from tenantry.cluster import local_image, roots
from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.cluster.terraform import State
from tenantry.commands import up
from tenantry.errors import InputError
from tests.example_platform import EXAMPLE
from tests.fake_programs import FakePrograms, evaluated, shown

PLATFORM = EXAMPLE
EMPTY = '{"format_version": "1.0"}'
KUBECTL = Kubectl(kubeconfig=None, context="kind-tenantry")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    for name in ("TERRAFORM", "KUBECONFIG", "CONFIRM", "DRY_RUN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "terraform" / "cluster").mkdir(parents=True)
    return FakePrograms(folder, monkeypatch)


def test_everything_that_is_missing_is_named_at_once(programs: FakePrograms) -> None:
    del programs  # an empty PATH
    with pytest.raises(InputError, match=r"(?s)Terraform 1.9 or OpenTofu 1.10.*kubectl on PATH.*Docker on PATH"):
        roots.require_programs(docker=True)


def test_a_docker_that_does_not_answer_is_missing(programs: FakePrograms) -> None:
    programs.add("tofu")
    programs.add("kubectl")
    programs.add("docker", {"info": {"code": 1}})
    with pytest.raises(InputError, match="a running Docker engine"):
        roots.require_programs(docker=True)
    roots.require_programs(docker=False)


def test_a_cluster_of_the_same_name_that_another_made_is_left_alone(programs: FakePrograms) -> None:
    programs.add("terraform", {"show": {"says": EMPTY}})
    programs.add("docker", {"ps": {"says": "0a1b2c\n"}})
    with pytest.raises(InputError, match="Kind cluster tenantry that was not created from this folder"):
        up._kind_cluster("tenantry", threading.Event())
    assert not any(" apply" in call for call in programs.asked)


def test_a_cluster_that_was_deleted_by_other_means_is_made_anew(programs: FakePrograms, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("{}")
    outputs = {
        "kubeconfig": str(kubeconfig),
        "context": "kind-tenantry",
        "nodes": ["tenantry-worker"],
        "grafana_url": "http://localhost:30080",
    }
    programs.add("terraform", {"show": {"says": shown(["kind_cluster.this"], outputs)}})
    programs.add("docker")
    programs.add("kubectl")
    target = up._kind_cluster("tenantry", threading.Event())
    assert target.kubectl.context == "kind-tenantry"
    assert target.nodes == ("tenantry-worker",)
    verbs = [call.split(maxsplit=2)[2].split(" -")[0] for call in programs.asked if call.startswith("terraform")]
    assert verbs.index("state rm kind_cluster.this") < verbs.index("apply")


def test_the_state_of_another_cluster_is_never_applied_to_this_one(programs: FakePrograms) -> None:
    del programs
    state = State(outputs={"context": "production"}, resources=("a.b",))
    with pytest.raises(InputError, match="context production, not of kind-tenantry"):
        roots.require_state_of("kind-tenantry", state)
    roots.require_state_of("production", state)


def test_a_tenant_is_not_deleted_before_it_was_named(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    del programs
    state = State(outputs={"tenants": ["tenant-a", "tenant-b", "tenant-old"]}, resources=("a.b",))
    gone = roots.removed_tenants(state, Platform.load(PLATFORM))
    assert gone == ["tenant-old"]
    monkeypatch.setenv("CONFIRM", "kind-tenantry")
    with pytest.raises(InputError, match=r'tenant-old would be deleted.*CONFIRM="kind-tenantry tenant-old"'):
        roots.require_confirmed(gone, "kind-tenantry")
    monkeypatch.setenv("CONFIRM", "kind-tenantry tenant-old")
    roots.require_confirmed(gone, "kind-tenantry")


def test_the_image_goes_only_to_nodes_that_lack_it(programs: FakePrograms) -> None:
    programs.add("docker", {"exec one ctr": {"says": "docker.io/library/service:abc\n"}})
    local_image.load("service:abc", ["one", "two"], stop=threading.Event())
    imports = [call for call in programs.asked if " import " in call]
    assert len(imports) == 1
    assert "exec --interactive two ctr" in imports[0]


def test_an_image_is_named_by_its_content(programs: FakePrograms) -> None:
    programs.add("docker", {"inspect": {"says": f"sha256:{'ab' * 32}\n"}})
    assert local_image.build() == "ml-inference-service:abababababab"
    assert "--build-arg SOURCE_DATE_EPOCH=0" in programs.asked[0]
    assert programs.asked[-1] == "docker tag ml-inference-service:dev ml-inference-service:abababababab"


def test_terraform_gets_one_kubeconfig_file(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    del programs
    monkeypatch.setenv("KUBECONFIG", "one:two")
    with pytest.raises(InputError, match="not one kubeconfig file"):
        roots.platform_root(KUBECTL, Path("platform.yaml"), threading.Event())


def test_what_is_dangerous_needs_the_context_by_name(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONFIRM must name this very context; a CONFIRM that was meant for another cluster does not count."""
    programs.add("kubectl", {"config view": {"says": "https://127.0.0.1:6443"}})
    monkeypatch.setattr("os.isatty", lambda _descriptor: False)
    for value in (None, "", "yes", "production"):
        if value is not None:
            monkeypatch.setenv("CONFIRM", value)
        with pytest.raises(InputError, match="CONFIRM=kind-tenantry"):
            confirm(KUBECTL, "remove the platform")
    monkeypatch.setenv("CONFIRM", "kind-tenantry")
    confirm(KUBECTL, "remove the platform")


def test_without_a_context_there_is_no_cluster(programs: FakePrograms) -> None:
    programs.add("kubectl", {"current-context": {"code": 1, "complains": "not set"}})
    with pytest.raises(InputError, match=r"no current context \(not set\)"):
        Kubectl.find()


def test_the_cluster_of_an_earlier_up_is_found(programs: FakePrograms, tmp_path: Path) -> None:
    programs.add("kubectl", {"current-context": {"says": "kind-tenantry\n"}})
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "kubeconfig").write_text("{}")
    found = Kubectl.find()
    assert found.kubeconfig == tmp_path / "build" / "kubeconfig"
    assert found.context == "kind-tenantry"


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--file", str(PLATFORM)])


@pytest.fixture
def all_programs(programs: FakePrograms, tmp_path: Path) -> FakePrograms:
    """Everything that `up` needs is there; no cluster was created yet."""
    programs.add("terraform", {"show": {"says": EMPTY}})
    programs.add("docker")
    programs.add("kubectl")
    (tmp_path / "terraform" / "platform").mkdir()
    return programs


def _changes(programs: FakePrograms) -> list[str]:
    """Calls that build, create, change or delete something."""
    verbs = ("terraform -chdir=", "docker build", "docker tag", "kubectl apply", "kubectl delete", "kubectl create")
    harmless = (" show ", " init ", " plan ")
    return [call for call in programs.asked if call.startswith(verbs) and not any(each in call for each in harmless)]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--model", "wrong"], 2, "--model wrong: no model there"),
        (["--model", "damaged"], 1, "damaged"),
        (["--image", "service:latest"], 2, "image"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_built(
    all_programs: FakePrograms, tmp_path: Path, options: list[str], code: int, says: str
) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    done = _invoke("up", *options)
    assert (done.exit_code, _changes(all_programs)) == (code, []), done.output
    assert says in done.stderr


def test_a_folder_with_other_files_is_refused_before_anything_is_built(
    all_programs: FakePrograms, tmp_path: Path
) -> None:
    (tmp_path / "build" / "dist").mkdir(parents=True)
    (tmp_path / "build" / "dist" / "notes.txt").write_text("mine")
    done = _invoke("up")
    assert (done.exit_code, _changes(all_programs)) == (2, []), done.output
    assert "notes.txt" in done.stderr


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_dry_run_changes_nothing(all_programs: FakePrograms, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """By the variable, also with a cluster and a confirmation there."""
    all_programs.add("docker", {"ps": {"says": "0a1b2c\n"}})
    monkeypatch.setenv("DRY_RUN", "1")
    monkeypatch.setenv("CONFIRM", "kind-tenantry")
    done = _invoke(command)
    assert (done.exit_code, _changes(all_programs)) == (0, []), done.output
    assert "would" in done.stdout


def test_down_keeps_everything_when_a_state_cannot_be_read(all_programs: FakePrograms, tmp_path: Path) -> None:
    """Neither root is changed, and the state's files and the kubeconfig stay."""
    kept = [tmp_path / "terraform" / root / "terraform.tfstate" for root in ("cluster", "platform")]
    kept.append(tmp_path / "build" / "kubeconfig")
    (tmp_path / "build").mkdir()
    for file in kept:
        file.write_text("{}")
    all_programs.add("terraform", {"show": {"code": 1, "complains": "Backend initialization required"}})
    done = _invoke("down")
    assert (done.exit_code, _changes(all_programs)) == (1, []), done.output
    assert "its state cannot be read; nothing was changed" in done.stderr
    assert all(file.exists() for file in kept)


@pytest.mark.parametrize("broken", ["cluster", "platform"])
def test_down_deletes_nothing_when_only_one_state_can_be_read(all_programs: FakePrograms, broken: str) -> None:
    shows: dict[str, dict[str, object]] = {
        f"-chdir=terraform/{broken} show": {"code": 1},
        "show": {"says": shown(["kind_cluster.this"])},
    }
    all_programs.add("terraform", shows)
    all_programs.add("docker", {"ps": {"says": "0a1b2c\n"}})
    done = _invoke("down")
    assert (done.exit_code, _changes(all_programs)) == (1, []), done.output


def test_up_stops_when_docker_does_not_list_its_containers(all_programs: FakePrograms) -> None:
    """No list is not an empty list: the state would be cleared as if the cluster were gone."""
    all_programs.add("terraform", {"show": {"says": shown(["kind_cluster.this"])}})
    all_programs.add("docker", {"ps": {"code": 1, "complains": "no permission"}})
    done = _invoke("up", "--image", "service:1")
    assert (done.exit_code, _changes(all_programs)) == (1, []), done.output
    assert "docker ps failed" in done.stderr


@pytest.fixture
def clusters(tmp_path: Path) -> Path:
    """A platform.yaml with two clusters, and a kubeconfig for KUBECTL."""
    file = tmp_path / "platform.yaml"
    file.write_text(
        "apiVersion: tenantry.dev/v1alpha1\nplatform: {image: registry.example/service:1}\nclusters: [east, west]\n"
        "tenants:\n  - {name: tenant-a, model: s3://models/tenant-a/spam, cluster: east}\n"
        "  - {name: tenant-b, model: s3://models/tenant-b/spam, cluster: west}\n"
    )
    (tmp_path / "kubeconfig").write_text("{}")
    (tmp_path / "terraform" / "platform").mkdir(exist_ok=True)
    (tmp_path / "terraform" / "platform" / "variables.tf").touch()
    return file


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "lists several clusters: name one of east, west with --cluster"),
        (["--cluster", "north"], "--cluster north: is not one of the clusters in platform.yaml: east, west"),
    ],
)
def test_up_installs_one_of_several_clusters(
    all_programs: FakePrograms, clusters: Path, options: list[str], says: str
) -> None:
    done = CliRunner().invoke(app, ["up", "--file", str(clusters), *options])
    assert (done.exit_code, _changes(all_programs)) == (2, []), done.output
    assert says in done.stderr


def test_terraform_gets_the_cluster_and_its_folder(
    all_programs: FakePrograms, clusters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = Kubectl(kubeconfig=tmp_path / "kubeconfig", context="west")
    monkeypatch.setattr(Kubectl, "find", lambda *_: kubectl)
    all_programs.add("terraform", {"console": {"says": evaluated()}, "show": {"says": EMPTY}})
    options = ["--context", "west", "--cluster", "west", "--skip-preflight", "no cluster", "--dry-run"]
    done = CliRunner().invoke(app, ["up", "--file", str(clusters), *options])
    assert done.exit_code == 0, done.output
    assert "publish models where tenant-b have none" in done.stdout
    plan = next(each for each in all_programs.asked if " plan " in each)
    assert "-var=cluster=west" in plan
    assert f"-var=dist_directory={tmp_path}/build/dist/west" in plan


def test_down_removes_the_cluster_that_was_installed(
    all_programs: FakePrograms, clusters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = Kubectl(kubeconfig=tmp_path / "kubeconfig", context="west")
    monkeypatch.setattr(Kubectl, "find", lambda *_: kubectl)
    monkeypatch.setenv("CONFIRM", "west")
    state = shown(["terraform_data.dist"], {"context": "west", "cluster": "west"})
    all_programs.add("terraform", {"show": {"says": state}})
    for name in ("east", "west"):
        (roots.DIST / name).mkdir(parents=True)
    done = CliRunner().invoke(app, ["down", "--file", str(clusters), "--context", "west"])
    assert done.exit_code == 0, done.output
    assert "-var=cluster=west" in next(each for each in all_programs.asked if " destroy " in each)
    assert [each.name for each in roots.DIST.iterdir()] == ["east"]  # which `tenantry down` needs for that cluster
