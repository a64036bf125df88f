"""What the pods of a probe observed, and what it means."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenantry.preflight.finding import Finding, Status


@dataclass(frozen=True, kw_only=True)
class Observations:
    """What a probe observed.

    Args:
        image: the image of its pods.
        not_started: why a pod did not start; empty if all did.
        before: whether the client reached the server before any policy: the positive control.
        ingress_denied: whether a policy that denies ingress to the server closed the connection.
        after_ingress: whether the client reached the server again without this policy.
        egress_denied: whether a policy that denies egress from the client closed the connection.
        resolved: the address of the API server's Service as resolved under the tenants' DNS policy; empty if it failed.
        privileged_refused: whether the API server refused a privileged pod in the namespace.
    """

    image: str
    not_started: str = ""
    before: bool = False
    ingress_denied: bool = False
    after_ingress: bool = False
    egress_denied: bool = False
    resolved: str = ""
    privileged_refused: bool = False

    def enforcement(self, required: str, plugins: str) -> Iterator[Finding]:
        """Whether policies are enforced; without a positive control, nothing is known."""
        if self.not_started:
            found = f"{plugins}; not tested, because the pods of the probe did not start (check `image`)"
            yield Finding(status=Status.UNKNOWN, found=found, required=required)
            return
        if not self.before or not self.after_ingress:
            when = "before any policy" if not self.before else "after the policy was deleted"
            found = f"{plugins}; not decided, because the connection failed {when}"
            fix = "look for a policy of the whole cluster, or a fault of the network"
            yield Finding(status=Status.UNKNOWN, found=found, required=required, fix=fix)
            return
        directions = {"ingress": self.ingress_denied, "egress": self.egress_denied}
        open_ones = [name for name, denied in directions.items() if not denied]
        if open_ones:
            found = f"{plugins}; a policy that denies {' and '.join(open_ones)} had no effect"
            fix = "install a network plugin that enforces NetworkPolicies; without one, tenants are not isolated"
            yield Finding(status=Status.BLOCKING, found=found, required=required, fix=fix)
            return
        found = f"{plugins}; a connection was open, closed by a policy in each direction, and open again"
        yield Finding(status=Status.OK, found=found, required=required)

    def pull(self, required: str) -> Finding:
        """Whether nodes could pull the image."""
        if self.not_started:
            fix = "push the image or set platform.image; the pods of a probe use no imagePullSecrets"
            return Finding(status=Status.FAILED, found=self.not_started, required=required, fix=fix)
        return Finding(status=Status.OK, found=f"pods of {self.image} run", required=required)

    def dns(self, required: str) -> Finding | None:
        """Whether a pod resolves names under the tenants' policy; None if no pod started."""
        if self.not_started:
            return None
        if self.resolved:
            found = f"a pod under the tenants' DNS policy resolves kubernetes.default.svc to {self.resolved}"
            return Finding(status=Status.OK, found=found, required=required)
        found = "a pod under the tenants' DNS policy resolves nothing"
        fix = "set the keys of platform.dns that this check names, or look for another policy"
        return Finding(status=Status.BLOCKING, found=found, required=required, fix=fix)
