"""What a tenant's namespace, Roles, bindings and the platform's own objects must keep."""

from typing import Final

from constructs_lib.guard.policy import DELETE, UPDATE, Policy, Rule
from constructs_lib.names import MANAGED_BY, PART_OF, TENANT_LABEL

_CONNECTING: Final = "['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy']"
_PROTECTED: Final = (
    "(k.startsWith('pod-security.kubernetes.io/') || k.startsWith('app.kubernetes.io/') || "
    "k.startsWith('tenantry.dev/'))"
)
_LABELS: Final = "oldObject.metadata.?labels"

PERMISSION_POLICIES: Final = (
    Policy(
        name="namespaces",
        # Labels can be changed through each of these.
        resources={"": ("namespaces", "namespaces/finalize", "namespaces/status")},
        operations=(UPDATE,),
        variables={
            "new": "object.metadata.?labels.orValue({})",
            "old": "oldObject.metadata.?labels.orValue({})",
        },
        rules=(
            Rule(
                holds=(
                    f"variables.old.all(k, !{_PROTECTED} || variables.new[?k].orValue('') == variables.old[k]) && "
                    f"variables.new.all(k, !{_PROTECTED} || variables.old[?k].orValue('') == variables.new[k])"
                ),
                otherwise="metadata.labels must keep pod-security.kubernetes.io/, app.kubernetes.io/ and tenantry.dev/ "
                "labels as the platform set them; other labels can be changed",
            ),
        ),
    ),
    Policy(
        name="namespace-deletion",
        resources={"": ("namespaces",)},
        operations=(DELETE,),
        rules=(
            Rule(
                holds="false", otherwise="the namespace belongs to the platform: remove the tenant from platform.yaml"
            ),
        ),
    ),
    Policy(
        name="roles",
        resources={"rbac.authorization.k8s.io": ("roles",)},
        variables={"rules": "object.?rules.orValue([])"},
        rules=(
            Rule(
                holds="variables.rules.all(r, r.verbs.all(v, v in ['get', 'list']))",
                otherwise="rules[].verbs must be get and list only",
            ),
            Rule(
                holds=(
                    "variables.rules.all(r, r.?resources.orValue([]).all(x, "
                    f"!x.contains('*') && !(x in {_CONNECTING})) && r.?apiGroups.orValue([]).all(g, g != '*'))"
                ),
                otherwise="rules[].resources and apiGroups must be named, without '*', and without the resources that "
                "connect to pods (exec, attach, portforward, proxy), for which get is enough",
            ),
        ),
    ),
    Policy(
        name="role-bindings",
        resources={"rbac.authorization.k8s.io": ("rolebindings",)},
        rules=(
            Rule(
                holds="object.roleRef.kind == 'Role'",
                otherwise="roleRef must be a Role of this namespace: a ClusterRole can allow more than get and list",
            ),
            Rule(
                holds=(
                    "object.?subjects.orValue([]).all(s, "
                    "s.kind == 'ServiceAccount' && s[?'namespace'].orValue('') == request.namespace)"
                ),
                otherwise="subjects must be ServiceAccounts of this namespace; people are named in platform.yaml "
                "(tenants[].members)",
            ),
        ),
    ),
    Policy(
        name="platform-objects",
        resources={
            "": ("limitranges", "resourcequotas", "resourcequotas/status"),
            "networking.k8s.io": ("networkpolicies",),
            "rbac.authorization.k8s.io": ("rolebindings", "roles"),
        },
        operations=(UPDATE, DELETE),
        rules=(
            Rule(
                # Either label: deployment systems may replace the first, and objects of older versions lack the second.
                holds=(
                    f"{_LABELS}[?'{MANAGED_BY}'].orValue('') != '{PART_OF}' && !{_LABELS}[?'{TENANT_LABEL}'].hasValue()"
                ),
                otherwise="this object belongs to the platform and isolates the tenant: change platform.yaml instead",
            ),
        ),
    ),
)
