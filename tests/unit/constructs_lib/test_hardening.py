"""The security settings of every pod."""

from constructs_lib.hardening import hardened

POD = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def test_the_pod_and_every_container_get_the_settings() -> None:
    spec = hardened({"containers": [{"name": "a"}, {"name": "b"}], "restartPolicy": "Never"})
    assert spec == {
        "automountServiceAccountToken": False,
        "containers": [{"name": "a", "securityContext": CONTAINER}, {"name": "b", "securityContext": CONTAINER}],
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": POD,
    }


def test_the_settings_replace_weaker_ones() -> None:
    weak = {"name": "a", "securityContext": {"privileged": True}}
    spec = hardened({"containers": [weak], "automountServiceAccountToken": True, "securityContext": {}})
    assert spec["containers"][0]["securityContext"] == CONTAINER
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == POD


def test_the_original_is_not_changed() -> None:
    original = {"containers": [{"name": "a"}]}
    hardened(original)["containers"][0]["securityContext"]["capabilities"]["drop"].clear()
    assert original == {"containers": [{"name": "a"}]}
    assert hardened(original)["containers"][0]["securityContext"] == CONTAINER
