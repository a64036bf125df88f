"""`tenantry up` and `down` say what is missing, and never touch a cluster that is not theirs."""

import json
import threading
from pathlib import Path

import pytest

from constructs_lib.platform import Platform
from tenantry.cluster import local_image
from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.cluster.terraform import Terraform
from tenantry.commands import up
from tenantry.errors import InputError
from tests.fake_programs import FakePrograms
from tests.paths import ROOT

PLATFORM = ROOT / "platform.yaml"
KUBECTL = Kubectl(kubeconfig=None, context="kind-tenantry")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    for name in ("TERRAFORM", "KUBECONFIG", "CONFIRM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "terraform" / "cluster").mkdir(parents=True)
    return FakePrograms(folder, monkeypatch)


def test_everything_that_is_missing_is_named_at_once(programs: FakePrograms) -> None:
    del programs  # an empty PATH
    with pytest.raises(InputError, match=r"(?s)Terraform 1.9 or OpenTofu 1.10.*kubectl on PATH.*Docker on PATH"):
        up.require_programs(docker=True)


def test_a_docker_that_does_not_answer_is_missing(programs: FakePrograms) -> None:
    programs.add("tofu")
    programs.add("kubectl")
    programs.add("docker", {"info": {"code": 1}})
    with pytest.raises(InputError, match="a running Docker engine"):
        up.require_programs(docker=True)
    up.require_programs(docker=False)


def test_a_cluster_of_the_same_name_that_another_made_is_left_alone(programs: FakePrograms) -> None:
    programs.add("terraform", {"state list": {"code": 1}})
    programs.add("docker", {"ps": {"says": "0a1b2c\n"}})
    with pytest.raises(InputError, match="Kind cluster tenantry that this folder did not make"):
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
    said = json.dumps({name: {"value": value} for name, value in outputs.items()})
    programs.add("terraform", {"state list": {"says": "kind_cluster.this\n"}, "output": {"says": said}})
    programs.add("docker")
    programs.add("kubectl")
    target = up._kind_cluster("tenantry", threading.Event())
    assert target.kubectl.context == "kind-tenantry"
    assert target.nodes == ("tenantry-worker",)
    verbs = [call.split(maxsplit=2)[2].split(" -")[0] for call in programs.asked if call.startswith("terraform")]
    assert verbs.index("state rm kind_cluster.this") < verbs.index("apply")


def test_the_state_of_another_cluster_is_never_applied_to_this_one(programs: FakePrograms) -> None:
    programs.add(
        "terraform", {"output": {"says": '{"context": {"value": "production"}}'}, "state list": {"says": "a.b\n"}}
    )
    root = Terraform(root=Path("root"), variables={}, stop=threading.Event())
    with pytest.raises(InputError, match="context production, not of kind-tenantry"):
        up.require_state_of(root, "kind-tenantry")
    up.require_state_of(root, "production")


def test_a_tenant_is_not_deleted_before_it_was_named(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    known = '{"tenants": {"value": ["tenant-a", "tenant-b", "tenant-old"]}}'
    programs.add("terraform", {"output": {"says": known}, "state list": {"says": "a.b\n"}})
    root = Terraform(root=Path("root"), variables={}, stop=threading.Event())
    gone = up.removed_tenants(root, Platform.load(PLATFORM))
    assert gone == ["tenant-old"]
    monkeypatch.setenv("CONFIRM", "kind-tenantry")
    with pytest.raises(InputError, match=r'tenant-old would be deleted.*CONFIRM="kind-tenantry tenant-old"'):
        up.require_named(gone, "kind-tenantry")
    monkeypatch.setenv("CONFIRM", "kind-tenantry tenant-old")
    up.require_named(gone, "kind-tenantry")


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
        up.platform_root(KUBECTL, Path("platform.yaml"), threading.Event())


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
    with pytest.raises(InputError, match="no cluster to talk to"):
        Kubectl.find()


def test_the_cluster_of_an_earlier_up_is_found(programs: FakePrograms, tmp_path: Path) -> None:
    programs.add("kubectl", {"current-context": {"says": "kind-tenantry\n"}})
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "kubeconfig").write_text("{}")
    found = Kubectl.find()
    assert found.kubeconfig == tmp_path / "build" / "kubeconfig"
    assert found.context == "kind-tenantry"
