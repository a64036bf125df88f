"""`tenantry keys`: what it prints once, what it stores, and what it refuses."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inference import api_keys
from tenantry.cli import app
from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError


class FakeCluster:
    """Stands in for kubectl: holds the Secret of one tenant."""

    def __init__(self, *, mounts: bool = True) -> None:
        self.secret: dict[str, Any] | None = None
        self.volumes = [{"name": "keys", "secret": {"secretName": "api-keys"}}] if mounts else []
        self.sent: list[str] = []

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Answer as kubectl does."""
        if arguments[:2] == ("get", "namespace"):
            if arguments[2] != "tenant-a":
                raise CommandError(f'namespaces "{arguments[2]}" not found')
            return ""
        if arguments[:2] == ("get", "secret"):
            return json.dumps(self.secret) if self.secret else ""
        assert arguments[0] == ("replace" if self.secret else "create")
        self.sent.append(stdin or "")
        given = json.loads(stdin or "")
        if self.secret and given["metadata"]["resourceVersion"] != self.secret["metadata"]["resourceVersion"]:
            raise CommandError("the object has been modified")
        data = {name: base64.b64encode(text.encode()).decode() for name, text in given["stringData"].items()}
        self.secret = {"metadata": {**given["metadata"], "resourceVersion": str(len(self.sent))}, "data": data}
        return ""

    def get(self, *_: str) -> Any:
        """The Deployments of the namespace."""
        return {"items": [{"spec": {"template": {"spec": {"volumes": self.volumes}}}}]}

    @property
    def entries(self) -> dict[str, tuple[api_keys.ApiKey, ...]]:
        """The Secret's content."""
        data = (self.secret or {"data": {}})["data"]
        return api_keys.parse_entries({name: base64.b64decode(text).decode() for name, text in data.items()})


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    found = FakeCluster()
    monkeypatch.setattr(Kubectl, "find", lambda *_: found)
    return found


def run(*arguments: str, tenant: str = "tenant-a") -> Result:
    return CliRunner().invoke(app, ["keys", tenant, *arguments])


def test_a_key_is_printed_once_and_only_its_digest_is_stored(cluster: FakeCluster) -> None:
    done = run("add", "shop")
    assert done.exit_code == 0, done.output
    key = done.stdout.strip()
    assert re.fullmatch(r"tnt_[\w-]{43}", key)
    assert cluster.entries == {"shop": (api_keys.ApiKey(api_keys.digest_of(key.encode())),)}
    assert key not in "".join(cluster.sent)
    assert key not in run("list").output


def test_a_dry_run_changes_nothing_and_prints_no_key(cluster: FakeCluster) -> None:
    run("add", "shop")
    sent = list(cluster.sent)
    added, revoked = run("add", "shop", "--dry-run"), run("revoke", "shop", "--dry-run")
    assert (added.exit_code, revoked.exit_code, cluster.sent) == (0, 0, sent)
    assert added.stdout == "would add a key of 'shop' for tenant-a, beside 1 of its keys\n"
    assert revoked.stdout == "would revoke 1 of 1 keys of 'shop'\n"


def test_the_variable_dry_run_changes_nothing(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRY_RUN", "1")
    assert run("add", "shop").stdout.startswith("would add")
    assert cluster.sent == []


def test_a_caller_gets_a_second_key_before_the_first_is_revoked(cluster: FakeCluster) -> None:
    first, second = (run("add", "shop").stdout.strip() for _ in range(2))
    digests = [api_keys.digest_of(key.encode()) for key in (first, second)]
    assert [each.digest for each in cluster.entries["shop"]] == digests
    done = run("revoke", "shop", "--older")
    assert done.stdout.startswith("revoked 1 of 2 keys of 'shop'")
    assert [each.digest for each in cluster.entries["shop"]] == digests[1:]


def test_revoking_a_caller_leaves_the_others(cluster: FakeCluster) -> None:
    run("add", "shop")
    run("add", "web")
    assert run("revoke", "shop").exit_code == 0
    assert list(cluster.entries) == ["web"]
    done = run("revoke", "shop")
    assert done.exit_code == 2
    assert "tenant-a has no caller 'shop'; it has web" in done.stderr


def test_a_key_expires_after_the_given_time(cluster: FakeCluster) -> None:
    assert run("add", "shop", "--expires", "90d").exit_code == 0
    assert run("add", "web", "--expires", "12h").exit_code == 0
    for name, wanted in (("shop", timedelta(days=90)), ("web", timedelta(hours=12))):
        expires = cluster.entries[name][0].expires
        assert expires is not None
        assert abs(expires - datetime.now(UTC) - wanted) < timedelta(minutes=1)


def test_the_list_names_callers_and_expiry_as_text_and_json(cluster: FakeCluster) -> None:
    assert "has no keys; create one with" in run("list").stderr
    run("add", "shop", "--expires", "1d")
    run("add", "web")
    text = run("list").stdout
    assert re.search(r"^shop +[0-9a-f]{8}  expires \d{4}-\d\d-\d\d \d\d:\d\d UTC$", text, re.MULTILINE)
    assert re.search(r"^web +[0-9a-f]{8}  does not expire$", text, re.MULTILINE)
    rows = json.loads(run("list", "--format", "json").stdout)
    assert [row["caller"] for row in rows] == ["shop", "web"]
    assert rows[0]["digest"] == cluster.entries["shop"][0].digest.hex()[:8]


@pytest.mark.parametrize("expires", ["90", "0d", "d", "1w", "-1d", "1.5d", "99999999d"])
def test_rejects_an_invalid_expiry(cluster: FakeCluster, expires: str) -> None:
    done = run("add", "shop", f"--expires={expires}")
    assert done.exit_code == 2
    assert "write it like 90d or 12h" in done.stderr
    assert cluster.sent == []


@pytest.mark.parametrize("name", ["Shop", "a_b", "anonymous", "x" * 41])
def test_rejects_an_invalid_caller(cluster: FakeCluster, name: str) -> None:
    done = run("add", name)
    assert done.exit_code == 2
    assert "choose another name" in done.stderr
    assert cluster.sent == []


def test_rejects_more_keys_than_a_caller_can_have(cluster: FakeCluster) -> None:
    for _ in range(api_keys.MAX_KEYS):
        assert run("add", "shop").exit_code == 0
    done = run("add", "shop")
    assert done.exit_code == 2
    assert "has 5 keys already; revoke the older ones" in done.stderr
    assert len(cluster.entries["shop"]) == api_keys.MAX_KEYS


def test_an_unknown_tenant_is_an_error(cluster: FakeCluster) -> None:
    done = run("add", "shop", tenant="tenant-x")
    assert done.exit_code == 1
    assert 'namespaces "tenant-x" not found' in done.stderr
    assert cluster.sent == []


def test_an_invalid_secret_is_an_error_and_stays_as_it_is(cluster: FakeCluster) -> None:
    cluster.secret = {"metadata": {"resourceVersion": "1"}, "data": {"shop": base64.b64encode(b"key").decode()}}
    for arguments in (("list",), ("add", "web"), ("revoke", "shop")):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "the Secret api-keys of tenant-a is not valid: caller 'shop', line 1" in done.stderr
    assert cluster.sent == []


def test_says_if_the_tenant_does_not_require_keys(cluster: FakeCluster) -> None:
    assert "pods accept it within" in run("add", "shop").stderr
    cluster.volumes = []
    assert "tenant-a does not require keys yet: set 'auth: apiKeys'" in run("add", "shop").stderr
