"""What terraform/platform installs on a cluster: the components that its variables do not turn off."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tenantry.cluster import terraform
from tenantry.errors import CommandError, InputError

KUBE_PROMETHEUS_STACK: Final = "kube_prometheus_stack"
METRICS_SERVER: Final = "metrics_server"
ENVOY_GATEWAY: Final = "envoy_gateway"
"""Names of variables of terraform/platform, each with a field `enabled`."""
COMPONENTS: Final = (KUBE_PROMETHEUS_STACK, METRICS_SERVER, ENVOY_GATEWAY)
_ERROR: Final = re.compile(r"Error: (?:\x1b\[\d*m)*([^\x1b\n]+)")
"""In what Terraform prints with colours; for a value of a wrong type, `terraform console` crashes instead."""
_VALUES: Final = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")


def installed_components() -> frozenset[str]:
    """Return which of COMPONENTS the next `tenantry up` installs, according to the variables of terraform/platform.

    Only the variables are evaluated, in a folder of their own: this needs no provider, state or network.

    Raises:
        InputError: terraform/platform does not exist.
        CommandError: Terraform cannot evaluate the variables.
    """
    root = terraform.PLATFORM
    declared = root / "variables.tf"
    if not declared.is_file():
        raise InputError(f"{declared} does not exist: run this in a clone, or run `tenantry init --terraform`")
    fields = ", ".join(f"{name} = var.{name}.enabled" for name in COMPONENTS)
    with tempfile.TemporaryDirectory(prefix="tenantry-") as folder:
        for file in (declared, *(found for pattern in _VALUES for found in root.glob(pattern))):
            shutil.copy(file, folder)
        done = _console(Path(folder), f"jsonencode({{{fields}}})")
    try:
        done.check_returncode()
        enabled = json.loads(json.loads(done.stdout.splitlines()[-1]))  # warnings come first; a text contains the JSON
        return frozenset(name for name in COMPONENTS if enabled[name])
    except (subprocess.CalledProcessError, ValueError, LookupError, TypeError) as error:
        found = _ERROR.search(done.stderr)
        reason = found[1] if found else "a value does not have the type of its variable"
        raise CommandError(f"{root}: its variables cannot be evaluated ({reason}); correct terraform.tfvars") from error


def _console(folder: Path, expression: str) -> subprocess.CompletedProcess[str]:
    name = terraform.program()
    if name is None:
        raise CommandError("neither terraform nor tofu is on PATH")
    command = [name, f"-chdir={folder}", "console"]
    return subprocess.run(command, input=f"{expression}\n", capture_output=True, text=True, check=False)
