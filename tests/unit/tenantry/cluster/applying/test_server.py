"""What `tenantry apply` asks the API server itself."""

import json

import httpx
import pytest

from tenantry.cluster.applying.server import ApiServer
from tenantry.errors import CommandError

ROLES = {"resources": [{"kind": "Role", "name": "roles"}, {"kind": "Role", "name": "roles/status"}]}
ROLE = "rbac.authorization.k8s.io/v1/Role"
PATH = "/apis/rbac.authorization.k8s.io/v1"


def _server(*answers: httpx.Response) -> tuple[ApiServer, list[httpx.Request]]:
    """A server that gives these answers in turn, and the requests that it gets."""
    rest, asked = list(answers), list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return rest.pop(0)

    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://localhost")
    return ApiServer(client, "kind-test"), asked


def _page(*names: str, rest: str = "") -> httpx.Response:
    items = [{"metadata": {"name": name}} for name in names] or None  # as Kubernetes writes an empty list
    return httpx.Response(200, json={"metadata": {"continue": rest}, "items": items})


def test_all_pages_of_a_list_are_read() -> None:
    """And only the metadata is requested."""
    server, asked = _server(httpx.Response(200, json=ROLES), _page("a", "b", rest="next"), _page("c"))
    assert [each["name"] for each in server.metadata(ROLE, "x=y")] == ["a", "b", "c"]
    assert [each.url.path for each in asked] == [PATH, f"{PATH}/roles", f"{PATH}/roles"]
    assert asked[1].url.params["labelSelector"] == "x=y"
    assert asked[2].url.params["continue"] == "next"
    assert "as=PartialObjectMetadataList" in asked[1].headers["Accept"]


def test_kubernetes_first_kinds_have_an_address_of_their_own() -> None:
    """Their API group has no name."""
    resources = {"resources": [{"kind": "Service", "name": "services"}]}
    server, asked = _server(httpx.Response(200, json=resources), _page())
    assert server.metadata("core/v1/Service", "x=y") == []
    assert [each.url.path for each in asked] == ["/api/v1", "/api/v1/services"]


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(200, json={"resources": []})])
def test_a_kind_that_the_cluster_does_not_have_has_no_objects(answer: httpx.Response) -> None:
    """As HTTPRoute without Gateway API."""
    server, _ = _server(answer)
    assert server.metadata(ROLE, "x=y") == []


def test_a_request_that_the_server_postpones_is_repeated() -> None:
    """After the time that the server names."""
    postponed = httpx.Response(429, headers={"Retry-After": "0"})
    server, asked = _server(postponed, postponed, httpx.Response(200, json=ROLES), _page("a"))
    assert len(server.metadata(ROLE, "x=y")) == 1
    assert len(asked) == 4


def test_a_refused_list_is_an_error() -> None:
    """Never an empty list, after which objects would seem to be missing."""
    server, _ = _server(httpx.Response(200, json=ROLES), httpx.Response(403, text="roles is forbidden"))
    with pytest.raises(CommandError, match="403 roles is forbidden"):
        server.metadata(ROLE, "x=y")


def test_a_record_is_written_as_its_own_field_manager() -> None:
    """So that it does not count as a change of the Namespace."""
    server, asked = _server(httpx.Response(200))
    server.annotate("tenant-a", "note", "text")
    assert (asked[0].method, asked[0].url.path) == ("PATCH", "/api/v1/namespaces/tenant-a")
    assert asked[0].url.params["fieldManager"] == "tenantry-apply"
    assert json.loads(asked[0].content) == {"metadata": {"annotations": {"note": "text"}}}
