#!/usr/bin/env python3
"""Write audit/permissions/defaults.json: the roles and bindings that a new cluster has, read from its API server.

    KUBECONFIG=... tools/default_permissions.py

Kubernetes labels them `kubernetes.io/bootstrapping=rbac-defaults`. The cluster is only read.
"""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

FILE: Final = Path("audit/permissions/defaults.json")
_KINDS: Final = "clusterroles,clusterrolebindings,roles,rolebindings"
_LABEL: Final = "kubernetes.io/bootstrapping=rbac-defaults"
_KEPT: Final = ("apiVersion", "kind", "aggregationRule", "rules", "roleRef", "subjects")


def essential(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what the server adds to it; the rules of an aggregated role follow from the others."""
    metadata = {key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]}
    kept = {key: item[key] for key in _KEPT if item.get(key)}
    if "aggregationRule" in kept:
        kept.pop("rules", None)
    return {**kept, "metadata": metadata}


def _kubectl(*arguments: str) -> Any:
    return json.loads(subprocess.run(["kubectl", *arguments], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Write the file, one object per line."""
    version = _kubectl("get", "--raw", "/version")["gitVersion"]
    items = _kubectl("get", _KINDS, "--all-namespaces", "--selector", _LABEL, "--output", "json")["items"]
    lines = sorted(json.dumps(essential(item), sort_keys=True, separators=(",", ":")) for item in items)
    body = ",\n".join(lines)
    FILE.write_text(f'{{"kubernetes": "{version}", "items": [\n{body}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
