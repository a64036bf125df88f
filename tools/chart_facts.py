#!/usr/bin/env python
"""Write tests/charts/*.yaml: what the pinned Helm charts render with the values of terraform/platform.

Recorded are the permissions of every service account, the metric relabelling rules of every ServiceMonitor, the
collectors of kube-state-metrics, and the alerts. Tests compare them with the rules, panels and permissions of this
repository.

    python -m tools.chart_facts                        renders the charts with helm, from their repositories
    python -m tools.chart_facts CHART=FOLDER...        renders only these charts, from folders
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
PLATFORM: Final = ROOT / "terraform" / "platform"
FACTS: Final = ROOT / "tests" / "charts"
NAMESPACES: Final = {
    "envoy-gateway": "envoy-gateway-system",
    "kube-prometheus-stack": "monitoring",
    "metrics-server": "metrics-server",
}
"""The releases, and the namespaces in which terraform/platform installs them."""
KUBERNETES: Final = "1.34"

Object = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Render the charts and record their facts."""
    folders = dict(argument.split("=", 1) for argument in arguments)
    for chart in folders or NAMESPACES:
        path = FACTS / f"{chart}.yaml"
        path.write_text(_document(chart, facts(chart, _render(chart, folders.get(chart)))), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)  # noqa: T201 - progress of a tool


def pinned(chart: str) -> dict[str, str]:
    """Repository, name and version of a chart, as terraform/platform pins them."""
    block = (PLATFORM / "variables.tf").read_text().split(f'variable "{chart.replace("-", "_")}"')[1]
    return dict(re.findall(r'(repository|chart|version)\s+= optional\(string, "([^"]+)"\)', block)[:3])


def chart_arguments(chart: str) -> list[str]:
    """Where Helm finds a chart: in a repository of charts, or in a registry of images (oci)."""
    source = pinned(chart)
    where = (
        [f"{source['repository']}/{source['chart']}"]
        if source["repository"].startswith("oci:")
        else [source["chart"], "--repo", source["repository"]]
    )
    return [*where, "--version", source["version"]]


def values_digest(chart: str) -> str:
    """SHA-256 of a chart's values, without comments and formatting."""
    values = yaml.safe_load((PLATFORM / "values" / f"{chart}.yaml").read_text())
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def facts(chart: str, objects: list[Object]) -> dict[str, Any]:
    """What is recorded of a rendered chart."""
    return {
        "chart": chart,
        "version": pinned(chart)["version"],
        "repository": pinned(chart)["repository"],
        "kubernetes": KUBERNETES,
        "values_sha256": values_digest(chart),
        "permissions": _permissions(objects),
        "relabelings": _relabelings(objects),
        "collectors": _collectors(objects),
        "alerts": _alerts(objects),
    }


def _render(chart: str, folder: str | None) -> list[Object]:
    where = [folder] if folder else chart_arguments(chart)
    values = PLATFORM / "values" / f"{chart}.yaml"
    options = ["--namespace", NAMESPACES[chart], "--values", str(values), "--kube-version", KUBERNETES]
    command = ["helm", "template", chart, *where, *options]
    rendered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [document for document in yaml.safe_load_all(rendered) if document]


def _permissions(objects: list[Object]) -> dict[str, dict[str, list[str]]]:
    """What each service account may do, by scope: `resource: verbs`, a line per resource."""
    roles = {
        (each["kind"], each["metadata"]["name"]): each.get("rules") or []
        for each in objects
        if each["kind"] in {"Role", "ClusterRole"}
    }
    accounts = [each["metadata"]["name"] for each in objects if each["kind"] == "ServiceAccount"]
    found: dict[str, dict[str, list[str]]] = {account: {} for account in sorted(accounts)}
    for binding in objects:
        if binding["kind"] not in {"RoleBinding", "ClusterRoleBinding"}:
            continue
        reference = (binding["roleRef"]["kind"], binding["roleRef"]["name"])
        scope = binding["metadata"]["namespace"] if binding["kind"] == "RoleBinding" else "cluster"
        lines = [line for rule in roles[reference] for line in _rule_lines(rule)] if reference in roles else [
            f"{reference[0]} {reference[1]} of Kubernetes"
        ]  # fmt: skip
        for subject in binding["subjects"]:
            found[subject["name"]].setdefault(scope, []).extend(lines)
    return {
        account: {scope: sorted(set(lines)) for scope, lines in scopes.items()} for account, scopes in found.items()
    }


def _rule_lines(rule: dict[str, list[str]]) -> Iterator[str]:
    verbs = " ".join(sorted(rule["verbs"]))
    for url in rule.get("nonResourceURLs", []):
        yield f"{url}: {verbs}"
    for group in rule.get("apiGroups", []):
        for resource in rule.get("resources", []):
            yield f"{group}/{resource}: {verbs}" if group else f"{resource}: {verbs}"


def _relabelings(objects: list[Object]) -> dict[str, list[dict[str, Any]]]:
    """Metric relabelling rules by ServiceMonitor and path; endpoints without any are included."""
    return {
        f"{monitor['metadata']['name']} {endpoint.get('path', '/metrics')}": [
            {name: rule[name] for name in sorted(rule)} for rule in endpoint.get("metricRelabelings") or []
        ]
        for monitor in objects
        if monitor["kind"] == "ServiceMonitor"
        for endpoint in monitor["spec"]["endpoints"]
    }


def _collectors(objects: list[Object]) -> list[str]:
    """The resources that kube-state-metrics reads."""
    for each in objects:
        if each["kind"] == "Deployment" and each["metadata"]["name"].endswith("kube-state-metrics"):
            arguments = each["spec"]["template"]["spec"]["containers"][0]["args"]
            (resources,) = [text for text in arguments if text.startswith("--resources=")]
            return sorted(resources.removeprefix("--resources=").split(","))
    return []


def _alerts(objects: list[Object]) -> list[dict[str, str]]:
    """Alerts of the groups that watch every namespace."""
    return [
        {
            "group": group["name"],
            "alert": rule["alert"],
            "severity": rule["labels"]["severity"],
            "for": rule.get("for", "0s"),
        }
        for each in objects
        if each["kind"] == "PrometheusRule"
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule and group["name"] in {"general.rules", "kubernetes-apps", "kubernetes-resources"}
    ]  # fmt: skip


def _document(chart: str, recorded: dict[str, Any]) -> str:
    text = yaml.safe_dump(recorded, sort_keys=False, width=120)
    return (
        f"# Written by tools/chart_facts.py (make chart-facts): what the chart {chart} renders with our values.\n{text}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
