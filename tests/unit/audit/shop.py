"""Two tenants without a path between them, and how tests add to their file and search it."""

from pathlib import Path

from typer.testing import CliRunner, Result

from tenantry.cli import app
from tests.unit.audit.manifests import DENY_ALL, namespace, pod, policy
from tests.unit.audit.roles import account, binding, role

ENFORCED = "{pod-security.kubernetes.io/enforce: restricted}"
APART = "".join(namespace(each, ENFORCED) + policy("deny", DENY_ALL, each) for each in ("red", "blue"))
SHOP = APART + pod("web", namespace="red") + pod("web", namespace="blue") + account("web", "red")
READER = role("reader", "get", "secrets", "blue")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", "paths", *map(str, arguments)])


def add(file: Path, text: str) -> Path:
    file.write_text(file.read_text() + text)
    return file


def red_reads_secrets_of_blue() -> str:
    return READER + binding("reader", "Role", "reader", "ServiceAccount", "web", "blue", subject_namespace="red")
