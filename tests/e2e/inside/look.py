"""Runs in a pod: reports its user, capabilities and other restrictions."""

# ruff: noqa: T201 - the output is the answer

import json
import os
from pathlib import Path


def main() -> None:
    """Print the findings."""
    status = dict(line.split(":", 1) for line in Path("/proc/1/status").read_text("utf-8").splitlines())
    capabilities = sum(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    root = next(line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines() if line.split()[1] == "/")
    found = {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "capabilities": capabilities,
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "seccomp": {"0": "off", "1": "strict", "2": "filter"}[status["Seccomp"].strip()],
        "root_is_read_only": "ro" in root[3].split(","),
        "token": Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists(),
    }
    print(json.dumps(found))


main()
