"""The API server as an account sees it: every resource, requested with the account's own token."""

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tests.e2e.cluster import LiveCluster

NOBODY: Final = "e2e-no-such-object"
_METHODS: Final[Mapping[str, str]] = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
_SPECIAL: Final = (
    ("impersonate", "", "users"),
    ("impersonate", "", "groups"),
    ("impersonate", "", "serviceaccounts"),
    ("bind", "rbac.authorization.k8s.io", "roles"),
    ("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ("escalate", "rbac.authorization.k8s.io", "roles"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    ("approve", "certificates.k8s.io", "signers"),
    ("sign", "certificates.k8s.io", "signers"),
)
"""Permissions that no single request reveals; an access review checks them."""


@dataclass(frozen=True, order=True)
class Resource:
    """A resource or subresource that discovery lists."""

    group: str
    version: str
    name: str
    namespaced: bool
    verbs: tuple[str, ...]

    def path(self, verb: str, namespace: str) -> str:
        """Path of a request for an object that does not exist, so that it changes nothing."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{namespace}" if namespace else ""
        resource, _, sub = self.name.partition("/")
        whole = verb in {"list", "watch", "deletecollection"} or (verb == "create" and not sub)
        path = f"{root}{place}/{resource}{'' if whole else f'/{NOBODY}'}{f'/{sub}' if sub else ''}"
        queries = {"watch": "?watch=1&timeoutSeconds=1", "get": "", "list": "?limit=1"}
        return path + queries.get(verb, "?dryRun=All")


@dataclass(frozen=True, order=True)
class Right:
    """A verb on a resource, in a namespace or, if empty, cluster-wide."""

    verb: str
    group: str
    resource: str
    namespace: str

    def __str__(self) -> str:
        where = f"in {self.namespace}" if self.namespace else "cluster-wide"
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''} {where}"


class Account:
    """A ServiceAccount, with a real token."""

    def __init__(self, cluster: LiveCluster, namespace: str, name: str) -> None:
        token = cluster.kubectl.run("create", "token", name, "-n", namespace, "--duration=1h").strip()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.user = f"system:serviceaccount:{namespace}:{name}"
        self.address = urlsplit(cluster.kubectl.server())
        self.tls = _trust(cluster)
        self._local = threading.local()
        self._open: list[http.client.HTTPSConnection] = []

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Send one request; return the status and the beginning of the body."""
        headers = self.headers
        if method == "PATCH":
            headers = {**headers, "Content-Type": "application/merge-patch+json"}
        payload = None if method == "GET" else json.dumps({} if body is None else body)
        for last in (False, True):  # reconnect once if the server has closed the connection
            connection = self._connection()
            try:
                connection.request(method, path, payload, headers)
                response = connection.getresponse()
                return response.status, response.read().decode(errors="replace")[:2000]
            except (http.client.HTTPException, OSError):
                connection.close()
                self._local.connection = None
                if last:
                    raise
        raise AssertionError("unreachable")

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether an access review allows this account the permission."""
        attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        status, text = self.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        if status != 201:
            raise AssertionError(f"access review: {status} {text}")
        return '"allowed":true' in text.replace(" ", "")

    def rights(self, resources: Iterable[Resource], namespaces: Sequence[str]) -> tuple[frozenset[Right], int]:
        """Try every verb on every resource.

        Returns:
            The permissions that were not forbidden, and the number of requests.
        """
        questions = list(_questions(resources, namespaces))
        special = [Right(verb, group, name, place) for verb, group, name in _SPECIAL for place in ("", *namespaces)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda each: self.ask(_METHODS[each[0].verb], each[1]), questions))
            said = list(pool.map(lambda each: self.may(each.verb, each.group, each.resource, each.namespace), special))
        unknown = {status for status, _ in answers} & {401, 429, 500, 503}
        if unknown:
            raise AssertionError(f"the API server answered {sorted(unknown)}, which shows nothing about permissions")
        allowed = {right for (right, _), (status, _) in zip(questions, answers, strict=True) if status != 403}
        allowed |= {right for right, yes in zip(special, said, strict=True) if yes}
        return frozenset(allowed), len(questions) + len(special)

    def _connection(self) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            host, port = str(self.address.hostname), self.address.port or 443
            connection = self._local.connection = http.client.HTTPSConnection(host, port, timeout=30, context=self.tls)
            self._open.append(connection)
        return connection

    def close(self) -> None:
        """Close every connection."""
        while self._open:
            self._open.pop().close()


class Person(Account):
    """A user, by impersonation, who may be in a group."""

    def __init__(self, cluster: LiveCluster, name: str, group: str | None, *, namespace: str, account: str) -> None:
        """Impersonate with the token of a ServiceAccount that may do so."""
        super().__init__(cluster, namespace, account)
        self.headers |= {"Impersonate-User": name, **({"Impersonate-Group": group} if group else {})}
        self.user = name


def discover(cluster: LiveCluster) -> list[Resource]:
    """Every resource and subresource of every served group and version."""
    get = cluster.kubectl.run
    groups = json.loads(get("get", "--raw", "/apis"))["groups"]
    served = [("", "v1", "/api/v1")]
    served += [
        (group["name"], version["version"], f"/apis/{version['groupVersion']}")
        for group in groups
        for version in group["versions"]
    ]
    return sorted(
        Resource(group, version, each["name"], each["namespaced"], tuple(sorted(each["verbs"])))
        for group, version, path in served
        for each in json.loads(get("get", "--raw", path))["resources"]
    )


def _questions(resources: Iterable[Resource], namespaces: Sequence[str]) -> Iterator[tuple[Right, str]]:
    """Every verb on every resource, in each namespace and, where possible, cluster-wide."""
    for each in resources:
        for verb in each.verbs:
            if verb not in _METHODS:
                continue
            whole = not each.namespaced or verb in {"list", "watch"}
            for namespace in (*(namespaces if each.namespaced else ()), *(("",) if whole else ())):
                yield Right(verb, each.group, each.name, namespace), each.path(verb, namespace)


def _trust(cluster: LiveCluster) -> ssl.SSLContext:
    view: dict[str, Any] = json.loads(
        cluster.kubectl.run("config", "view", "--minify", "--raw", "--flatten", "--output", "json")
    )
    data = view["clusters"][0]["cluster"].get("certificate-authority-data", "")
    return ssl.create_default_context(cadata=base64.b64decode(data).decode() if data else None)
