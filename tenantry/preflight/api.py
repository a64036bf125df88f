"""Reads a cluster through kubectl, each address once."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from tenantry.cluster.kubectl import Kubectl
from tenantry.errors import CommandError

Object = dict[str, Any]
NOT_FOUND: Final = "NotFound"
UNAVAILABLE: Final = "ServiceUnavailable"
TIMEOUT_SECONDS: Final = 30
_PAGE: Final = 500
_REFUSAL: Final = re.compile(r"Error from server \((\w+)\)")


class RefusedError(Exception):
    """The API server answered with an error.

    Attributes:
        reason: the reason that it gave, as in `Forbidden`.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class Api:
    """The API of one cluster. It keeps what it read, so that checks can ask for the same objects.

    Attributes:
        kubectl: the program.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl
        self._known: dict[str, Object | RefusedError | None] = {}

    def get(self, path: str, **query: str) -> Object | None:
        """The object at an address, or None if it does not exist.

        Args:
            path: the address, as in `/api/v1/nodes`.
            query: parameters, as in `labelSelector`.

        Raises:
            RefusedError: the API server refused.
            CommandError: the API server did not answer.
        """
        address = f"{path}?{urlencode(query)}" if query else path
        if address not in self._known:
            self._known[address] = self._read(address)
        known = self._known[address]
        if isinstance(known, RefusedError):
            raise known
        return known

    def items(self, path: str, **query: str) -> list[Object] | None:
        """The objects of a list, all pages of it, or None if the API server does not know the resource.

        Raises:
            RefusedError, CommandError: as `get`.
        """
        found: list[Object] = []
        page: dict[str, str] = {}
        while True:
            listed = self.get(path, **query, limit=str(_PAGE), **page)
            if listed is None:
                return None
            found += listed["items"]
            following = listed.get("metadata", {}).get("continue")
            if not following:
                return found
            page = {"continue": following}

    def kinds(self, group_version: str) -> list[str] | None:
        """The kinds of an API group's version, as in `monitoring.coreos.com/v1`; None if it is not served."""
        found = self.get(f"/apis/{group_version}")
        return None if found is None else [each["kind"] for each in found["resources"]]

    def allowed(self, reviews: Sequence[Mapping[str, str]]) -> list[bool]:
        """Whether the current user may do each of these; the API server stores nothing.

        Args:
            reviews: `resourceAttributes` of access reviews: verb, group, resource, namespace.
        """
        items = [
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": dict(each)},
            }
            for each in reviews
        ]
        said = self.run("create", "--filename", "-", "--output", "json", stdin=_list(items))
        answers = _documents(said)
        if len(answers) != len(items):
            raise CommandError(f"{len(answers)} of {len(items)} access reviews were answered")
        return [bool(each["status"].get("allowed")) for each in answers]

    def user(self) -> str | None:
        """Name of the current user; None if it is unknown."""
        done = self.kubectl.try_run("auth", "whoami", "--output", "jsonpath={.status.userInfo.username}")
        return done.stdout.strip() or None if not done.returncode else None

    def warnings(self, *arguments: str) -> list[str]:
        """The API server's warnings about a dry run; nothing changes.

        Raises:
            RefusedError, CommandError: as `get`.
        """
        done = self._done(*arguments, "--dry-run=server")
        return [line.removeprefix("Warning: ") for line in done[1].splitlines() if line.startswith("Warning: ")]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Output of a command.

        Raises:
            RefusedError, CommandError: as `get`.
        """
        return self._done(*arguments, stdin=stdin)[0]

    def _read(self, address: str) -> Object | RefusedError | None:
        try:
            found: Object = json.loads(self.run("get", "--raw", address))
        except RefusedError as error:
            return None if error.reason == NOT_FOUND else error
        return found

    def _done(self, *arguments: str, stdin: str | None = None) -> tuple[str, str]:
        done = self.kubectl.try_run(*arguments, f"--request-timeout={TIMEOUT_SECONDS}s", stdin=stdin)
        if done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            if refusal := _REFUSAL.search(said):
                raise RefusedError(refusal[1], said.splitlines()[-1].removeprefix(refusal[0]).lstrip(": "))
            raise CommandError(f"kubectl {' '.join(arguments[:3])} failed in context {self.kubectl.context}: {said}")
        return done.stdout, done.stderr


def _list(items: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})


def _documents(text: str) -> list[Object]:
    """JSON documents that follow each other; kubectl prints one per object."""
    decoder, text = json.JSONDecoder(), text.strip()
    found: list[Object] = []
    while text:
        document, end = decoder.raw_decode(text)
        found += document["items"] if document.get("kind") == "List" else [document]
        text = text[end:].strip()
    return found
