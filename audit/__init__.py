"""Reads Kubernetes YAML and reports which pods can reach which, with evidence, without a cluster.

    from audit import Assumptions, Cluster, Verdict, read

    cluster = read.objects(["dist/"])                      # files, folders, globs, "-" for standard input
    cluster = read.objects([{"kind": "Pod", ...}, ...])    # or objects as plain dicts; both may be mixed
    answer = cluster.verdict("tenant-a/web", "tenant-b/web", 8000)

    answer.verdict            # Verdict.ALLOWED, Verdict.DENIED or Verdict.UNKNOWN ("allowed", "denied", "unknown")
    answer.evidence           # Evidence(direction, effect, policy, rule, file, line, text, reason), deciding rules only
    answer.egress.verdict     # the verdict of the source's egress policies alone; .ingress for the destination's
    answer.needed             # for a denial: what would have to allow the traffic
    answer.missing            # for an unknown: which information is missing

A *source* or *destination* is a string:

| reference | means |
| --- | --- |
| `NAMESPACE/NAME` | a workload (Deployment, StatefulSet, Pod, ...) or one of its pods |
| `NAMESPACE/KIND/NAME` | the same, where several kinds share the name |
| `NAMESPACE/*` | a pod that does not exist yet, with any labels |
| `NAMESPACE/[key=value,...]` | a pod that does not exist yet, with exactly these labels; it declares no ports |
| `NAMESPACE/service/NAME` | a Service, as a destination; the port is the Service's port |
| `10.1.2.3`, `fd00::1` | an address; a pod's or a node's where the input or the assumptions say so |
| `node`, `node/NAME` | a node |

The *port* is a number, or the name of a container port that is resolved on the destination; *protocol* is TCP, UDP or
SCTP. `cluster.workloads` lists what the input holds; `cluster.reach()` computes all pairs at once.

`Assumptions(pod_cidrs=[...], service_cidrs=[...], node_cidrs=[...], ip_blocks_cover_pods=True | False | None)` says
what YAML cannot: with `None` (the default) an `ipBlock` that contains a pod's address makes the verdict unknown,
because implementations differ.

Errors are `AuditError`; `ReadError` (invalid input) has `problems`, each with `file`, `line`, `rule` and `fix`.
With `read.objects(..., keep_going=True)` they are in `cluster.problems` instead, and an invalid policy makes the
verdicts that it could affect unknown.

The package is independent of the rest of the project. Inside, each layer imports only those below it:
`reports` -> `benchmarks` -> `contract` -> `changes`, `paths` -> `metrics` -> `engine`, `permissions`, `pods`, `wiring`
-> `model` <- `reading`.
"""

from audit import read
from audit.assumptions import Assumptions
from audit.cluster import Cluster
from audit.contract import Contract
from audit.engine.answer import Answer, Decision, Evidence, Verdict
from audit.errors import AuditError, EndpointError, Problem, ReadError

__all__ = [
    "Answer",
    "Assumptions",
    "AuditError",
    "Cluster",
    "Contract",
    "Decision",
    "EndpointError",
    "Evidence",
    "Problem",
    "ReadError",
    "Verdict",
    "read",
]
