"""The picture of the architecture says what is deployed, and is drawn anew whenever that changes."""

import hashlib
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from matplotlib.figure import Figure

from tests.example_platform import accessible_dist, example_dist
from tests.paths import ROOT
from tools.diagram.drawing import svg_and_png
from tools.diagram.facts import Architecture, read
from tools.diagram.lines import draw_lines
from tools.diagram.shapes import Canvas

DOCS = ROOT / "docs"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def architecture() -> Architecture:
    return read(example_dist(), ROOT / "terraform")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Architecture]:
    """The architecture when every object of a kind in tenant-a's file is changed, or removed by emptying it."""

    def read_changed(kind: str, change: Change) -> Architecture:
        shutil.copytree(example_dist(), tmp_path / "dist")
        file = tmp_path / "dist" / "tenant-a.k8s.yaml"
        documents = list(yaml.safe_load_all(file.read_text()))
        for document in documents:
            if document["kind"] == kind:
                change(document)
        file.write_text(yaml.safe_dump_all(filter(None, documents)))
        return read(tmp_path / "dist", ROOT / "terraform")

    return read_changed


def test_the_committed_picture_is_the_one_that_is_drawn_now(architecture: Architecture) -> None:
    svg, _ = svg_and_png(architecture)
    assert (DOCS / "architecture.svg").read_bytes() == svg, "make diagram"


def test_the_committed_png_is_of_that_picture() -> None:
    """Pixels may differ from machine to machine; the digest of the SVG that it was drawn with may not."""
    digest = hashlib.sha256((DOCS / "architecture.svg").read_bytes()).hexdigest()
    assert _png_text(DOCS / "architecture.png")["Source"] == f"sha256:{digest}"


def _png_text(file: Path) -> dict[str, str]:
    data, at, found = file.read_bytes(), 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"tEXt":
            key, _, value = data[at + 8 : at + 8 + length].partition(b"\0")
            found[key.decode()] = value.decode()
        at += length + 12
    return found


def test_as_shipped_tenants_reach_what_they_need_and_nothing_else(architecture: Architecture) -> None:
    names = [tenant.name for tenant in architecture.tenants]
    assert architecture.open == {
        *((name, to) for name in names for to in ("store", "dns", "world", name)),
        *(("prometheus", name) for name in names),
    }


def test_the_picture_names_the_namespaces_of_clients_and_the_gateway() -> None:
    for tenant in read(accessible_dist(), ROOT / "terraform").tenants:
        assert tenant.isolation == "default deny, Pod Security restricted, clients in tenantry-e2e-client, gateway"


def test_a_policy_that_is_removed_is_removed_from_the_picture(changed: Callable[..., Architecture]) -> None:
    """Without tenant-a's policies those of its neighbour still apply; what only tenant-a's denied is open."""
    architecture = changed(
        "NetworkPolicy", lambda policy: policy["spec"].update(podSelector={"matchLabels": {"no": "pod"}})
    )
    assert {("tenant-a", "private"), ("other", "tenant-a")} <= architecture.open
    assert ("tenant-a", "tenant-b") not in architecture.open
    assert architecture.tenants[0].isolation == "default deny, Pod Security restricted"


def test_a_store_that_a_tenant_cannot_reach_has_no_line(changed: Callable[..., Architecture]) -> None:
    def to_another_port(policy: dict[str, Any]) -> None:
        if policy["metadata"]["name"] == "allow-model-store":
            policy["spec"]["policyTypes"] = ["Ingress"]

    architecture = changed("NetworkPolicy", to_another_port)
    assert ("tenant-a", "store") not in architecture.open


def test_every_line_depends_on_what_the_policies_say(architecture: Architecture) -> None:
    """Closing one open connection, or opening one of those that are crossed out, gives another picture."""
    others = [("tenant-a", "tenant-b"), ("tenant-b", "console")]
    within = {(tenant.name, tenant.name) for tenant in architecture.tenants}
    pairs = [{pair} for pair in sorted(architecture.open - within) + others]
    pictures = {_lines_of(replace(architecture, open=architecture.open ^ pair)) for pair in [set(), *pairs]}
    assert len(pictures) == 1 + len(pairs)


def _lines_of(architecture: Architecture) -> str:
    figure = Figure()
    axes = figure.add_subplot()
    draw_lines(Canvas(axes), architecture)
    return "\n".join(str(each.get_path()) for each in axes.patches) + f"{len(axes.lines)}"


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("HorizontalPodAutoscaler", lambda each: each["spec"].update(maxReplicas=6), "HPA: 2 to 6 pods"),
        ("ServiceMonitor", lambda each: each["spec"]["endpoints"][0].update(interval="15s"), "every 15 s"),
        ("Service", lambda each: each["metadata"].update(name="other-svc"), "other-svc"),
        ("Role", lambda each: each["rules"][0].update(verbs=["delete"]), "delete, get, list"),
        ("Namespace", lambda each: each["metadata"]["labels"].clear(), ">default deny<"),
    ],
)
def test_what_a_manifest_says_stands_in_the_picture(
    changed: Callable[..., Architecture], kind: str, change: Change, said: str
) -> None:
    svg, _ = svg_and_png(changed(kind, change))
    assert said in svg.decode()
    assert said not in (DOCS / "architecture.svg").read_text()
