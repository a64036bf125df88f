"""The checks of the level baseline. Each gives the path in the pod, and what is wrong there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audit.model.objects import listed, mapping, mappings
from audit.model.place import Path
from audit.pods.template import Template

Found = Iterator[tuple[Path, str]]

CAPABILITIES: Final = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
SECCOMP_PROFILES: Final = {"RuntimeDefault", "Localhost"}
_SECCOMP_FIELDS_SINCE: Final = 19
_SECCOMP_ANNOTATION: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SE_LINUX_TYPES: Final = {"", "container_t", "container_init_t", "container_kvm_t"}
_SE_LINUX_ENGINE_SINCE: Final = 31
_SYSCTLS: Final = {
    0: {
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"),
    },
    27: {"net.ipv4.ip_local_reserved_ports"},
    29: {
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
        "net.ipv4.tcp_keepalive_probes",
    },
    32: {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"},
}
_PROBES: Final = (("livenessProbe",), ("readinessProbe",), ("startupProbe",))
_HOOKS: Final = (("lifecycle", "postStart"), ("lifecycle", "preStop"))


def contexts(pod: Template) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The securityContexts of the pod and its containers, with their paths."""
    if pod.security:
        yield ("spec", "securityContext"), pod.security
    for each in pod.containers:
        if each.security:
            yield ("spec", *each.path, "securityContext"), each.security


def host_process(pod: Template, _version: int) -> Found:
    """Windows containers that run on their node."""
    for path, context in contexts(pod):
        if mapping(context.get("windowsOptions")).get("hostProcess"):
            yield (*path, "windowsOptions", "hostProcess"), "hostProcess is true"


def host_namespaces(pod: Template, _version: int) -> Found:
    """Pods in their node's namespaces."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(field):
            yield ("spec", field), f"{field} is true"


def privileged(pod: Template, _version: int) -> Found:
    """Privileged containers."""
    for each in pod.containers:
        if each.security.get("privileged"):
            yield ("spec", *each.path, "securityContext", "privileged"), f"container {each.name} is privileged"


def capabilities(pod: Template, _version: int) -> Found:
    """Capabilities beyond the default set."""
    for each in pod.containers:
        added = listed(mapping(each.security.get("capabilities")).get("add"))
        for index, name in enumerate(added):
            if str(name) not in CAPABILITIES:
                path: Path = ("spec", *each.path, "securityContext", "capabilities", "add", index)
                yield path, f"container {each.name} adds the capability {name}"


def host_paths(pod: Template, _version: int) -> Found:
    """Volumes of the node's files."""
    for index, volume in enumerate(mappings(pod.spec.get("volumes"))):
        if volume.get("hostPath") is not None:
            path = mapping(volume["hostPath"]).get("path", "")
            yield ("spec", "volumes", index, "hostPath"), f"volume {volume.get('name')} is the node's path {path}"


def host_ports(pod: Template, _version: int) -> Found:
    """Ports of the node."""
    for each in pod.containers:
        for index, port in enumerate(mappings(each.data.get("ports"))):
            if port.get("hostPort"):
                path: Path = ("spec", *each.path, "ports", index, "hostPort")
                yield path, f"container {each.name} uses port {port['hostPort']} of its node"


def host_probes(pod: Template, _version: int) -> Found:
    """Probes and hooks that connect to another host."""
    for each in pod.containers:
        for handler in (*_PROBES, *_HOOKS):
            data: Any = each.data
            for step in handler:
                data = mapping(data).get(step)
            for action in ("httpGet", "tcpSocket"):
                host = mapping(mapping(data).get(action)).get("host")
                if host:
                    path: Path = ("spec", *each.path, *handler, action, "host")
                    yield path, f"{handler[-1]} of container {each.name} connects to the host {host}"


def app_armor(pod: Template, _version: int) -> Found:
    """AppArmor profiles other than the default or one of the node."""
    for path, context in contexts(pod):
        profile = context.get("appArmorProfile")
        kind = mapping(profile).get("type")
        if profile is not None and str(kind) not in {"RuntimeDefault", "Localhost"}:
            yield (*path, "appArmorProfile", "type"), f"the AppArmor profile is {kind}"
    for key, value in pod.annotations.items():
        allowed = str(value) in {"", "runtime/default"} or str(value).startswith("localhost/")
        if key.startswith(_APP_ARMOR) and not allowed:
            yield ("metadata", "annotations", key), f"the AppArmor profile is {value}"


def se_linux(pod: Template, version: int) -> Found:
    """SELinux types, users and roles that confine less."""
    engine = {"container_engine_t"} if version >= _SE_LINUX_ENGINE_SINCE else set()
    for path, context in contexts(pod):
        options = mapping(context.get("seLinuxOptions"))
        if str(options.get("type", "")) not in _SE_LINUX_TYPES | engine:
            yield (*path, "seLinuxOptions", "type"), f"the SELinux type is {options['type']}"
        for field in ("user", "role"):
            if options.get(field):
                yield (*path, "seLinuxOptions", field), f"the SELinux {field} is set"


def proc_mount(pod: Template, _version: int) -> Found:
    """A /proc without masks."""
    for each in pod.containers:
        kind = each.security.get("procMount")
        if kind is not None and kind != "Default":
            yield ("spec", *each.path, "securityContext", "procMount"), f"procMount of container {each.name} is {kind}"


def seccomp(pod: Template, version: int) -> Found:
    """Seccomp profiles that are switched off."""
    if version < _SECCOMP_FIELDS_SINCE:
        yield from _seccomp_annotations(pod)
        return
    for path, context in contexts(pod):
        profile = context.get("seccompProfile")
        kind = mapping(profile).get("type")
        if profile is not None and str(kind) not in SECCOMP_PROFILES:
            yield (*path, "seccompProfile", "type"), f"the seccomp profile is {kind}"


def _seccomp_annotations(pod: Template) -> Found:
    keys = [_SECCOMP_ANNOTATION, *(f"{_SECCOMP_CONTAINER}{each.name}" for each in pod.containers)]
    for key in keys:
        value = pod.annotations.get(key)
        allowed = value in {None, "runtime/default", "docker/default"} or str(value).startswith("localhost/")
        if not allowed:
            yield ("metadata", "annotations", key), f"the seccomp profile is {value}"


def sysctls(pod: Template, version: int) -> Found:
    """Sysctls that are not safe."""
    allowed = {name for since, names in _SYSCTLS.items() if since <= version for name in names}
    for index, each in enumerate(mappings(pod.security.get("sysctls"))):
        if str(each.get("name")) not in allowed:
            yield ("spec", "securityContext", "sysctls", index), f"the sysctl {each.get('name')} is set"
