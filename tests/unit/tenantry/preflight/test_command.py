"""`tenantry preflight` as a program: its text, its mistakes, and the commands that it stops."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tenantry.cluster.components import COMPONENTS, ENVOY_GATEWAY, METRICS_SERVER
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError, InputError
from tenantry.preflight.inspection import require_ready
from tests.example_platform import EXAMPLE
from tests.fake_programs import FakePrograms, evaluated
from tests.recorded_cluster import RecordedCluster, recorded


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePrograms:
    for name in ("KUBECONFIG", "CONFIRM", "DRY_RUN", "SKIP_PREFLIGHT"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    return FakePrograms(folder, monkeypatch)


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["preflight", "--file", str(EXAMPLE), *arguments])


def test_the_text_names_status_requirement_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kubectl, "find", lambda *_: RecordedCluster(recorded("gke")))
    done = _invoke()
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("context recorded, server https://192.0.2.1, kind of cluster gke")
    (dns,) = [index for index, line in enumerate(lines) if line.startswith("blocking") and "DNS" in line]
    assert lines[dns + 1].strip().startswith("required: policies allow pods k8s-app=kube-dns in kube-system")
    assert lines[dns + 2].strip() == 'set platform.dns.addresses: ["169.254.20.10/32", "34.118.224.10/32"]'
    assert lines[-1] == "1 blocking, 1 failed, 1 warning, 2 skipped, 11 ok"
    assert "--write sets these keys" in done.stderr


@pytest.mark.parametrize(
    ("answers", "code", "says"),
    [
        pytest.param(None, 2, "needs kubectl on PATH", id="no kubectl"),
        pytest.param(
            {
                "/readyz": {"code": 1, "complains": 'error: context "nowhere" does not exist\n'},
                "get-contexts": {"says": "production\nstaging\n"},
            },
            2,
            "--context nowhere: the kubeconfig has no such context; it has production, staging",
            id="no such context",
        ),
        pytest.param(
            {"/readyz": {"code": 1, "complains": "dial tcp 192.0.2.1:6443: connect: connection refused"}},
            1,
            "connection refused",
            id="nobody answers",
        ),
    ],
)
def test_a_mistake_is_one_message(
    programs: FakePrograms, answers: dict[str, dict[str, object]] | None, code: int, says: str
) -> None:
    if answers is not None:
        programs.add("kubectl", answers)
    done = _invoke("--context", "nowhere")
    assert (done.exit_code, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_a_wrong_file_is_reported_before_the_cluster_is_asked(programs: FakePrograms, tmp_path: Path) -> None:
    programs.add("kubectl")
    (tmp_path / "platform.yaml").write_text("platform: 1")
    done = CliRunner().invoke(app, ["preflight", "--context", "a"])
    assert done.exit_code == 2
    assert programs.asked == []


def test_a_user_without_permissions_learns_which_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is unknown, with the server's reason, and stops nothing by itself."""
    cluster = recorded("gke")
    cluster["get"] = {
        address: {"error": "Forbidden"} if "/api/v1/" in address or address.endswith("s") else answer
        for address, answer in cluster["get"].items()
        if address != "/apis"
    }
    cluster["denied"] = ["namespaces"]
    monkeypatch.setattr(Kubectl, "find", lambda *_: RecordedCluster(cluster))
    done = _invoke()
    assert done.exit_code == 1
    assert "someone@example.com may not: get, list, create, patch, delete namespaces cluster-wide" in done.stdout
    unknown = [line for line in done.stdout.splitlines() if line.startswith("unknown")]
    assert len(unknown) >= 4
    assert all("Forbidden" in line for line in unknown)


def test_a_blocking_finding_stops_and_names_the_key() -> None:
    with pytest.raises(CommandError) as error:
        require_ready(RecordedCluster(recorded("gke")), EXAMPLE, skip=None)
    assert "DNS: set platform.dns.addresses" in str(error.value)
    assert "nothing was changed" in str(error.value)
    assert "Prometheus" not in str(error.value), "a failed check does not stop"


def test_missing_crds_stop_an_apply_but_not_the_command_that_installs_them(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = recorded("eks")
    cluster["denied"] = []
    cluster["get"]["/apis/apps/v1/daemonsets"] = {"items": []}
    require_ready(RecordedCluster(cluster), EXAMPLE, skip=None, installs=COMPONENTS)
    assert "CRDs" not in capsys.readouterr().err
    with pytest.raises(CommandError, match="CRDs: not served: ServiceMonitor"):
        require_ready(RecordedCluster(cluster), EXAMPLE, skip=None, installs=[METRICS_SERVER])


def test_routes_without_gateway_api_stop_the_command_unless_it_installs_a_gateway(tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    gateway = "{name: g, namespace: gateways, podLabels: {a: b}, domain: models.example.com}"
    file.write_text(EXAMPLE.read_text().replace("platform:\n", f"platform:\n  gateway: {gateway}\n", 1))
    cluster = recorded("eks")
    cluster["denied"] = []
    cluster["get"]["/apis/apps/v1/daemonsets"] = {"items": []}
    require_ready(RecordedCluster(cluster), file, skip=None, installs=COMPONENTS)
    with pytest.raises(CommandError, match="Gateway API: not served: HTTPRoute"):
        require_ready(RecordedCluster(cluster), file, skip=None, installs=set(COMPONENTS) - {ENVOY_GATEWAY})


def test_a_skipped_inspection_asks_nothing_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = RecordedCluster(recorded("gke"))
    require_ready(cluster, EXAMPLE, skip="DNS is replaced tomorrow")
    assert cluster.asked == []
    assert "not inspected: DNS is replaced tomorrow" in capsys.readouterr().err


@pytest.fixture
def two_clusters(tmp_path: Path) -> Path:
    """A platform.yaml with tenant-a on the cluster east and tenant-b on the cluster west."""
    lines = [
        "apiVersion: tenantry.dev/v1alpha1",
        "platform: {image: registry.example/service:1}",
        "clusters: [east, west]",
        "tenants:",
        "  - {name: tenant-a, model: s3://models/tenant-a/spam, cluster: east}",
        "  - {name: tenant-b, model: s3://models/tenant-b/spam, cluster: west}",
    ]
    file = tmp_path / "platform.yaml"
    file.write_text("\n".join(lines))
    return file


NO_SERVICES = {**recorded("gke"), "denied": ["services"]}


@pytest.mark.parametrize(
    ("cluster", "places", "option"), [("east", "tenant-a", " --cluster east"), ("dist", "tenant-a, tenant-b", "")]
)
def test_an_apply_inspects_its_cluster_for_its_own_tenants(
    two_clusters: Path, cluster: str, places: str, option: str
) -> None:
    """If the file does not list the cluster, all tenants count."""
    with pytest.raises(CommandError) as error:
        require_ready(RecordedCluster(NO_SERVICES), two_clusters, cluster=cluster, skip=None)
    assert f"services in {places} (required" in str(error.value)
    assert f"--context recorded{option}`" in str(error.value)


def test_one_of_several_clusters_is_inspected_for_its_own_tenants(
    monkeypatch: pytest.MonkeyPatch, two_clusters: Path
) -> None:
    monkeypatch.setattr(Kubectl, "find", lambda *_: RecordedCluster(NO_SERVICES))
    done = CliRunner().invoke(app, ["preflight", "--file", str(two_clusters), "--cluster", "west"])
    assert "services in tenant-b\n" in done.stdout


def test_a_cluster_that_is_not_listed_is_wrong_input(two_clusters: Path) -> None:
    done = CliRunner().invoke(app, ["preflight", "--file", str(two_clusters), "--cluster", "north"])
    assert done.exit_code == 2
    assert "--cluster north: is not one of the clusters in platform.yaml: east, west" in done.stderr


def test_an_inspection_needs_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file.*--file.*--skip-preflight REASON"):
        require_ready(RecordedCluster(recorded("gke")), tmp_path / "platform.yaml", skip=None)


@pytest.mark.parametrize(
    "command", [["apply", "--dist", "dist", "--file", str(EXAMPLE)], ["up", "--context", "a", "--file", str(EXAMPLE)]]
)
def test_commands_that_change_a_cluster_inspect_it_first(
    programs: FakePrograms, monkeypatch: pytest.MonkeyPatch, command: list[str], tmp_path: Path
) -> None:
    """Neither kubectl nor Terraform is asked for a change."""
    programs.add("kubectl")
    programs.add("terraform", {"console": {"says": evaluated(*COMPONENTS)}})
    (tmp_path / "terraform" / "platform").mkdir(parents=True)
    (tmp_path / "terraform" / "platform" / "variables.tf").touch()
    (tmp_path / "dist").mkdir()
    labels = "{app.kubernetes.io/managed-by: tenantry, app.kubernetes.io/name: ml-inference}"
    (tmp_path / "dist" / "tenant-a.k8s.yaml").write_text(
        f"kind: Namespace\nmetadata: {{name: tenant-a, labels: {labels}}}\n"
    )
    cluster = RecordedCluster(recorded("gke"))
    monkeypatch.setattr(Kubectl, "find", lambda *_: cluster)
    monkeypatch.setenv("CONFIRM", "recorded")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1, done.output
    assert "context recorded is not ready for the platform" in done.stderr
    assert not [each for each in programs.asked if not each.endswith(" console")]
    assert not [each for each in cluster.asked if each[0] in {"apply", "delete", "diff"}]
