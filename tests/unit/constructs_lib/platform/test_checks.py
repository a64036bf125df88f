"""Warnings about a valid platform.yaml."""

from typing import Any

import pytest

from constructs_lib.platform import Platform
from constructs_lib.platform.checks import warnings

PINNED = f"@sha256:{'0' * 64}"


def _warnings(*tenants: dict[str, Any]) -> tuple[str, ...]:
    named = [{"model": f"s3://models/{each['name']}/m{PINNED}", **each} for each in tenants]
    document = {"apiVersion": "tenantry.dev/v1alpha1", "platform": {"image": "a/b:1"}, "tenants": named}
    return warnings(Platform.model_validate(document))


def test_the_defaults_with_a_pinned_model_give_no_warning() -> None:
    assert _warnings({"name": "a"}, {"name": "b"}) == ()


def test_warns_about_models_without_a_digest() -> None:
    found = _warnings(
        {"name": "a", "model": "s3://models/a/m"}, {"name": "b"}, {"name": "c", "model": "s3://models/c/m"}
    )
    assert found == ("the model of a, c is not pinned to a digest: a pod serves the latest version when it starts",)


@pytest.mark.parametrize(
    ("number", "says"), [(5, "t0, t1, t2, t3, t4 is"), (1006, "t0, t1, t2, t3, t4 and 1,001 more is")]
)
def test_a_warning_about_many_tenants_names_a_few_and_the_number_of_others(number: int, says: str) -> None:
    (found,) = _warnings(*({"name": f"t{index}", "model": f"s3://models/t{index}/m"} for index in range(number)))
    assert found.startswith(f"the model of {says} not pinned to a digest")


def test_warns_that_a_folder_must_be_in_the_image() -> None:
    found = _warnings({"name": "a", "model": "file:/models/spam"}, {"name": "b"})
    assert found == ("the model of a is a folder: pods can only load it if the image contains that folder",)


def test_warns_about_egress_to_private_addresses() -> None:
    private = [{"cidr": "10.1.0.0/16", "port": 5432}]
    found = _warnings({"name": "a", "egress": private}, {"name": "b", "egress": [{"cidr": "192.0.2.0/24", "port": 1}]})
    assert found == ("the egress of a includes private addresses: make sure that the cluster does not use them",)


@pytest.mark.parametrize(
    ("limit", "warning"),
    [
        (
            {"ephemeralStorage": "64Mi"},
            "the ephemeral-storage limit of a is below 128Mi: logs and /tmp can cause an eviction",
        ),
    ],
)
def test_warns_about_a_limit_that_the_service_exceeds(limit: dict[str, str], warning: str) -> None:
    resources = {"requests": limit, "limits": limit}
    assert _warnings({"name": "a", "resources": resources}, {"name": "b"}) == (warning,)
