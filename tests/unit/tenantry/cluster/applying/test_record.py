"""Which changes of an object change its fingerprint."""

from typing import Any

import pytest

from tenantry.cluster.applying.record import LAST_APPLIED, Record, fingerprint

OWN = {"manager": "kubectl-client-side-apply", "time": "1", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:paused": {}}}}
OBJECT: dict[str, Any] = {"uid": "1", "annotations": {LAST_APPLIED: "{}"}, "managedFields": [OWN]}


@pytest.mark.parametrize(
    "entry",
    [
        {"manager": "kubelet", "subresource": "status"},
        {"manager": "autoscaler", "subresource": "scale"},
        {"manager": "tenantry-apply"},
    ],
    ids=lambda each: each["manager"],
)
def test_status_scale_and_the_record_are_not_changes(entry: dict[str, Any]) -> None:
    """Controllers write them all the time."""
    assert fingerprint({**OBJECT, "managedFields": [OWN, entry]}) == fingerprint(OBJECT)


def test_the_autoscaler_taking_over_the_replicas_is_not_a_change() -> None:
    """The field then leaves the entry of the object's creator."""
    taken = {**OWN, "fieldsV1": {"f:spec": {"f:paused": {}}}}
    assert fingerprint({**OBJECT, "managedFields": [taken]}) == fingerprint(OBJECT)


@pytest.mark.parametrize(
    "change",
    [
        {"uid": "2"},
        {"annotations": {LAST_APPLIED: '{"other": 1}'}},
        {"managedFields": [{**OWN, "time": "2"}]},
        {"managedFields": [{**OWN, "fieldsV1": {"f:spec": {}}}]},
        {"managedFields": [OWN, {"manager": "kubectl-edit"}]},
        {"managedFields": []},
    ],
    ids=["created again", "applied by kubectl", "written again", "field removed", "edited", "without managed fields"],
)
def test_other_changes_are(change: dict[str, Any]) -> None:
    """Even if kubectl made them."""
    assert fingerprint({**OBJECT, **change}) != fingerprint(OBJECT)


@pytest.mark.parametrize("value", [None, "", "{}", "[]", "3", '{"digest": "a", "objects": 3}'])
def test_a_value_that_is_not_a_record_is_ignored(value: str | None) -> None:
    """The tenant is then applied."""
    assert Record.of({"annotations": {"tenantry.dev/applied": value} if value is not None else {}}) is None


def test_a_record_is_read_as_it_was_written() -> None:
    """From the annotation."""
    written = Record(digest="a", objects={"core/v1/Namespace tenant-a": "b"})
    assert Record.of({"annotations": {"tenantry.dev/applied": written.text()}}) == written
