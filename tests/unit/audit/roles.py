"""Manifests for tests: short ways to write roles and bindings."""

_VERSION = "rbac.authorization.k8s.io/v1"


def role(
    name: str,
    verbs: str,
    resources: str,
    namespace: str = "",
    *,
    groups: str = '[""]',
    labels: str = "{}",
    more: str = "",
) -> str:
    """A Role, or a ClusterRole where no namespace is given, with one rule on line 5."""
    listed = verbs if verbs.startswith("[") else f"[{verbs}]"
    where = f", namespace: {namespace}" if namespace else ""
    return (
        f"---\napiVersion: {_VERSION}\nkind: {'Role' if namespace else 'ClusterRole'}\n"
        f"metadata: {{name: {name}, labels: {labels}{where}}}\n"
        f"rules: [{{verbs: {listed}, apiGroups: {groups}, resources: [{resources}]{more}}}]\n"
    )


def binding(
    name: str, kind: str, role_name: str, subject: str, who: str, namespace: str = "", *, subject_namespace: str = ""
) -> str:
    """A RoleBinding, or a ClusterRoleBinding where no namespace is given, with one subject."""
    where = f", namespace: {namespace}" if namespace else ""
    home = f", namespace: {subject_namespace}" if subject_namespace else ""
    return (
        f"---\napiVersion: {_VERSION}\nkind: {'RoleBinding' if namespace else 'ClusterRoleBinding'}\n"
        f"metadata: {{name: {name}{where}}}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {role_name}}}\n"
        f"subjects: [{{kind: {subject}, name: '{who}'{home}}}]\n"
    )


def account(name: str, namespace: str = "shop") -> str:
    """A ServiceAccount, of 4 lines."""
    return f"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
