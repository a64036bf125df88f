"""Pods with random security settings, each valid for the API server."""

from typing import Any

from tests.audit.drawing.draw import Draw
from tests.audit.reference.objects import Object

_CAPABILITIES = ["ALL", "NET_BIND_SERVICE", "CHOWN", "NET_RAW", "SYS_ADMIN", "KILL"]
_SYSCTLS = ["kernel.shm_rmid_forced", "net.ipv4.tcp_rmem", "net.ipv4.tcp_keepalive_time", "kernel.msgmax"]
_TYPES = ["container_t", "container_engine_t", "spc_t"]


def draw_pod(draw: Draw, number: int) -> Object:
    """A pod that is close to restricted, with a few settings changed."""
    wild = draw.number(0, 25)
    names = [f"c{index}" for index in range(draw.number(1, 2))]
    spec: dict[str, Any] = {"containers": [_container(draw, name, wild) for name in names]}
    if draw.chance(40):
        spec["initContainers"] = [_container(draw, "first", wild)]
    spec |= {field: True for field in ("hostNetwork", "hostPID", "hostIPC") if draw.chance(wild // 6)}
    context = _pod_context(draw, wild)
    if spec.keys() & {"hostNetwork", "hostIPC"}:
        context.pop("sysctls", None)  # the API server refuses both together
    spec["securityContext"] = context
    spec |= {"volumes": [_volume(draw, index, wild) for index in range(draw.number(0, 2))]}
    annotations = {}
    if draw.chance(wild // 4):
        profile = draw.one(["runtime/default", "localhost/one", "unconfined"])
        annotations[f"container.apparmor.security.beta.kubernetes.io/{names[0]}"] = profile
    metadata = {"name": f"drawn-{number}", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _pod_context(draw: Draw, wild: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if draw.chance(85):
        found["runAsNonRoot"] = not draw.chance(wild // 3)
    if draw.chance(85):
        found["seccompProfile"] = _seccomp(draw, wild)
    if draw.chance(40):
        found["runAsUser"] = draw.one([1000, 0]) if draw.chance(wild) else 1000
    if draw.chance(wild):
        found["sysctls"] = [{"name": draw.one(_SYSCTLS), "value": "1"}]
    if draw.chance(wild // 2):
        found["seLinuxOptions"] = _se_linux(draw)
    if draw.chance(wild // 3):
        found["appArmorProfile"] = {"type": draw.one(["RuntimeDefault", "Unconfined"])}
    return found


def _container(draw: Draw, name: str, wild: int) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if not draw.chance(wild // 3):
        context["allowPrivilegeEscalation"] = draw.chance(wild // 4)
    if not draw.chance(wild // 3):
        context["capabilities"] = {"drop": draw.one([["ALL"], ["KILL"]]) if draw.chance(wild) else ["ALL"]}
        if draw.chance(wild):
            context["capabilities"]["add"] = draw.some(_CAPABILITIES[1:], 1, 2)
    _rare_settings(draw, wild, context)
    found: dict[str, Any] = {"name": name, "image": "example.org/none:1", "securityContext": context}
    if draw.chance(wild // 3):
        port = draw.number(8000, 8100)
        found["ports"] = [{"containerPort": port, "hostPort": draw.one([port, 0])}]
    if draw.chance(wild // 3) and name != "first":
        action = {"port": 8000} | ({"host": draw.one(["127.0.0.1", ""])} if draw.chance(70) else {})
        found[draw.one(["livenessProbe", "readinessProbe"])] = {draw.one(["httpGet", "tcpSocket"]): action}
    return found


def _rare_settings(draw: Draw, wild: int, context: dict[str, Any]) -> None:
    """Change what few containers set."""
    if draw.chance(25):
        context["runAsNonRoot"] = not draw.chance(wild)
    if draw.chance(20):
        context["seccompProfile"] = _seccomp(draw, wild)
    if draw.chance(wild // 3):
        context["runAsUser"] = draw.one([0, 1000])
    if draw.chance(wild // 5):
        # The API server refuses a privileged container that forbids privilege escalation.
        context |= {"privileged": True, "allowPrivilegeEscalation": True}
    if draw.chance(wild // 3):
        context["seLinuxOptions"] = _se_linux(draw)
    if draw.chance(wild // 4):
        context["procMount"] = "Default"
    if draw.chance(wild // 4):
        context["appArmorProfile"] = {"type": draw.one(["RuntimeDefault", "Unconfined"])}
    if draw.chance(wild // 5):
        context["windowsOptions"] = {"hostProcess": False}
    if "SYS_ADMIN" in context.get("capabilities", {}).get("add", []):
        context["allowPrivilegeEscalation"] = True


def _seccomp(draw: Draw, wild: int) -> dict[str, str]:
    if not draw.chance(wild):
        return {"type": "RuntimeDefault"}
    return draw.one([{"type": "Unconfined"}, {"type": "Localhost", "localhostProfile": "one.json"}])


def _se_linux(draw: Draw) -> dict[str, str]:
    return draw.one([{"type": draw.one(_TYPES)}, {"level": "s0:c1"}, {"user": "one"}, {"role": "one"}])


def _volume(draw: Draw, index: int, wild: int) -> dict[str, Any]:
    usual: list[dict[str, Any]] = [
        {"emptyDir": {}},
        {"configMap": {"name": "one"}},
        {"secret": {"secretName": "one"}},
        {},
    ]
    usual += [{"projected": {"sources": []}}, {"persistentVolumeClaim": {"claimName": "one"}}]
    rare: list[dict[str, Any]] = [{"hostPath": {"path": "/var"}}, {"nfs": {"server": "one", "path": "/"}}]
    name: dict[str, Any] = {"name": f"v{index}"}
    return name | (draw.one(rare) if draw.chance(wild) else draw.one(usual))
