"""A cluster, as its YAML describes it, and the questions that it answers."""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product

from audit.assumptions import Assumptions
from audit.engine.answer import Answer, Decision, Verdict
from audit.engine.endpoints import Endpoint, Kind, Traffic
from audit.engine.judge import Judge
from audit.engine.reach import Reach
from audit.engine.references import References
from audit.engine.through_services import Target, targets
from audit.errors import EndpointError, Problem
from audit.model.inventory import Inventory
from audit.model.pods import PROTOCOLS, Workload
from audit.permissions import Permissions

_LAST_PORT = 65535


class Cluster:
    """What the input declares; `audit.read` makes it.

    Attributes:
        inventory: The objects.
        assumptions: What YAML cannot say.
        problems: What is invalid in the input, where it was read with `keep_going`.
        files: Name and digest (SHA-256, hexadecimal) of each file, as it was when it was read.
    """

    def __init__(
        self,
        inventory: Inventory,
        assumptions: Assumptions,
        problems: Sequence[Problem] = (),
        files: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.inventory = inventory
        self.assumptions = assumptions
        self.problems = tuple(problems)
        self.files = tuple(dict.fromkeys(files))
        self.references = References(inventory, assumptions)
        self.judge = Judge(inventory, assumptions)

    def reach(self) -> Reach:
        """Who reaches whom: all pairs at once; computed the first time."""
        return self._reach

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self.inventory, self.judge.matcher, self.judge, self.references)

    @cached_property
    def permissions(self) -> Permissions:
        """Who may do what, if the input was read in detail."""
        return Permissions(self.inventory)

    @property
    def workloads(self) -> Sequence[Workload]:
        """What makes pods."""
        return self.inventory.workloads

    def verdict(self, source: str, destination: str, port: int | str, protocol: str = "TCP") -> Answer:
        """Whether a source can reach a destination; see the package for how to write them.

        Args:
            source: A pod, a node or an address.
            destination: A pod, a Service, a node or an address.
            port: Number of the destination's port, or its name.
            protocol: TCP, UDP or SCTP.

        Returns:
            The verdict with its evidence. Where the pods of a workload differ, the verdict is unknown and the notes
            name the pods.

        Raises:
            EndpointError: The input does not hold what is asked for.
        """
        if protocol not in PROTOCOLS:
            raise EndpointError(f"the protocol {protocol!r} does not exist: it is TCP, UDP or SCTP")
        sources = self.references.endpoints(source)
        reached = self._targets(destination, port, protocol)
        notes = tuple(self._notes([*sources, *(target.endpoint for target in reached)]))
        answers = [
            self.judge.answer(Traffic(each, target.endpoint, protocol, target.number), (*target.notes, *notes))
            for each, target in product(sources, reached)
        ]
        return _together(answers, source, destination)

    def _notes(self, ends: list[Endpoint]) -> Iterator[str]:
        """Addresses that may well be inside the cluster, where nobody says which addresses are."""
        if self.assumptions.pod_cidrs and self.assumptions.node_cidrs and self.assumptions.service_cidrs:
            return
        for name in dict.fromkeys(end.name for end in ends if end.kind is Kind.ADDRESS):
            if ipaddress.ip_address(name).is_private:
                options = "--pod-cidr, --node-cidr and --service-cidr"
                yield f"{name} counts as outside the cluster; if it is not, give {options}"

    def _targets(self, destination: str, port: int | str, protocol: str) -> list[Target]:
        service = self.references.service(destination)
        if service is not None:
            return targets(service, port, protocol, self.inventory, self.references)
        ends = self.references.endpoints(destination)
        return [target for end in ends for target in _ports(end, port, protocol)]


def _ports(end: Endpoint, port: int | str, protocol: str) -> list[Target]:
    """The ports of a destination that a number or a name means."""
    if isinstance(port, str) and port.isdecimal():
        port = int(port)
    if isinstance(port, int):
        if not 1 <= port <= _LAST_PORT:
            raise EndpointError(f"the port {port} does not exist: ports are 1 to 65535")
        return [Target(end, port)]
    numbers = [each.number for each in end.pods.named(port, protocol)] if end.pods else []
    if not numbers:
        named = sorted({each.name for each in end.pods.ports if each.name}) if end.pods else []
        has = f"its named ports are {', '.join(named)}" if named else "it names no port"
        raise EndpointError(f"{end.name} has no {protocol} port named {port!r}; {has}")
    return [Target(end, number) for number in dict.fromkeys(numbers)]


def _together(answers: list[Answer], source: str, destination: str) -> Answer:
    """One answer for several pairs of pods: unknown where they differ."""
    first = answers[0]
    verdicts = {answer.verdict for answer in answers}
    if len(verdicts) == 1:
        return replace(first, source=source, destination=destination)
    pairs = [f"{each.source} to {each.destination} on {each.port}: {each.verdict}" for each in answers]
    differ = f"the pods differ: {'; '.join(pairs)}"
    return replace(
        first,
        source=source,
        destination=destination,
        verdict=Verdict.UNKNOWN,
        egress=_side([each.egress for each in answers], differ),
        ingress=_side([each.ingress for each in answers], differ),
        notes=(*first.notes, differ),
    )


def _side(decisions: list[Decision], differ: str) -> Decision:
    """The decisions of one side for several pairs."""
    verdicts = {decision.verdict for decision in decisions}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.UNKNOWN
    return Decision(
        direction=decisions[0].direction,
        verdict=verdict,
        evidence=tuple(dict.fromkeys(each for decision in decisions for each in decision.evidence)),
        missing=(differ,) if verdict is Verdict.UNKNOWN else (),
    )
