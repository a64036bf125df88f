"""A key of a YAML text is set, and everything else stays as it was."""

from typing import Any

import pytest
import yaml

from tenantry.yaml_edits import flow_text, with_value

PORT = ("platform", "dns", "port")


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        pytest.param(
            "platform:\n  image: a:1  # pinned\n\n  # dns:\ntenants: []\n",
            PORT,
            5353,
            "platform:\n  image: a:1  # pinned\n  dns:\n    port: 5353\n\n  # dns:\ntenants: []\n",
            id="a new section, behind the last key and its comment",
        ),
        pytest.param(
            "platform:\n  dns:\n    namespace: x # why\n  # more\n  image: a\n",
            PORT,
            5353,
            "platform:\n  dns:\n    namespace: x # why\n    port: 5353\n  # more\n  image: a\n",
            id="a new key of a section",
        ),
        pytest.param(
            "platform:\n  dns:\n    port: 53 # usual\n",
            PORT,
            5353,
            "platform:\n  dns:\n    port: 5353 # usual\n",
            id="another value",
        ),
        pytest.param(
            "platform:\n  dns:\n    podLabels: # theirs\n      a: b\n    # below\n    port: 53\n",
            ("platform", "dns", "podLabels"),
            {"k8s-app": "kube-dns"},
            "platform:\n  dns:\n    podLabels: # theirs\n      {k8s-app: kube-dns}\n    # below\n    port: 53\n",
            id="another mapping",
        ),
        pytest.param("platform: {image: a:1}\n", PORT, 53, "platform: {image: a:1, dns: {port: 53}}\n", id="in braces"),
        pytest.param("platform: {dns: {}}\n", PORT, 53, "platform: {dns: {port: 53}}\n", id="an empty mapping"),
        pytest.param(
            "platform:\n  dns: # none\n  image: a",
            PORT,
            53,
            "platform:\n  dns: {port: 53} # none\n  image: a",
            id="nothing behind the colon",
        ),
        pytest.param("platform:\n  image: a", PORT, 1, "platform:\n  image: a\n  dns:\n    port: 1", id="no line end"),
    ],
)
def test_only_the_key_changes(before: str, path: tuple[str, ...], value: Any, after: str) -> None:
    assert with_value(before, path, value) == after
    found = yaml.safe_load(after)
    for key in path:
        found = found[key]
    assert found == value


def test_a_document_that_is_not_a_mapping_is_refused() -> None:
    with pytest.raises(TypeError, match="the document is not a mapping"):
        with_value("[a]", PORT, 1)


@pytest.mark.parametrize(
    "value", ["2", "a", "no", "::1/128", "a: b", "", {"a/b": {"c": "true"}}, ["1.2.3.4/32", 5], True, None]
)
def test_text_in_one_line_means_the_same_to_every_reader(value: Any) -> None:
    assert "\n" not in flow_text(value)
    assert yaml.safe_load(flow_text(value)) == value
