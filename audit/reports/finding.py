"""One thing that a workload exposes."""

from enum import StrEnum

from msgspec import Struct

from audit.engine.answer import Verdict


class Exposure(StrEnum):
    """To whom, or how, a workload is exposed."""

    CLUSTER = "cluster"
    ADDRESSES = "addresses"
    NODES = "nodes"
    SERVICE = "service"
    ROUTE = "route"
    UNRESTRICTED_INGRESS = "unrestricted-ingress"
    UNRESTRICTED_EGRESS = "unrestricted-egress"
    HOST_NETWORK = "host-network"


class Finding(Struct, frozen=True, rename="camel", kw_only=True):
    """A way in from beyond the namespace, or a policy that is missing.

    Attributes:
        exposure: To whom, or how.
        verdict: allowed, unknown, or denied for a route or Service that leads to pods which let nobody in.
        label: The workload, or the pattern of names that the workloads share.
        members: References of the workloads.
        by: Who gets in, or which object leads here.
        ports: The pods' ports.
        missing: For an unknown, which information is missing.
        file: File of the object that this is about.
        line: Its line.
    """

    exposure: Exposure
    verdict: Verdict
    label: str
    members: list[str]
    by: str
    ports: list[str]
    missing: list[str]
    file: str
    line: int
