"""Applies policy sets one after the other, observes until the network has settled, and compares with an engine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tenantry.errors import CommandError
from tests.audit.engines import Audit
from tests.audit.live import pods
from tests.audit.live.directions import one_per_direction
from tests.audit.live.faults import as_kube_router_treats
from tests.audit.live.probes import PATIENT_SECONDS, SECONDS, Agents, Target
from tests.audit.reference import Assumptions, Object, Verdict
from tests.e2e.cluster import LiveCluster
from tests.e2e.probes import OUTSIDE

SETTLE_SECONDS: Final = 60
"""How long the network may take until it does what the engine says; after that a difference counts."""
_WEB: Final = (80, 443)
_ALIKE: Final = 2
"""So many observations in a row have to show the same."""

Ask = tuple[str, str, int, str]
"""Source, destination, port and protocol."""


@dataclass(frozen=True)
class Compared:
    """What came of one policy set.

    Attributes:
        policies: The set, as it was drawn.
        verdicts: What the audit says of each connection where it is known that an ipBlock covers pods.
        from_yaml: What it says from YAML alone.
        observed: Which connections were open.
        as_faulty: What the audit says where the policies are as a network engine with known faults treats them.
        seconds: From applying the set to the last observation.
        rounds: How many observations it took.
    """

    policies: Sequence[Object]
    verdicts: dict[Ask, Verdict]
    from_yaml: dict[Ask, Verdict]
    observed: dict[Ask, bool]
    as_faulty: dict[Ask, Verdict]
    seconds: float
    rounds: int

    @property
    def shows_a_fault(self) -> bool:
        """Whether the network differs from the audit, and known faults of the engine give each connection."""
        return bool(self.wrong()) and all(
            self.as_faulty[ask] == ("allowed" if is_open else "denied") for ask, is_open in self.observed.items()
        )

    def wrong(self) -> list[str]:
        """Connections about which the audit was certain and the network did otherwise."""
        return [
            f"{' '.join(map(str, ask))}: {self.verdicts[ask]}, and {'open' if is_open else 'closed'}"
            for ask, is_open in self.observed.items()
            if ("denied" if is_open else "allowed") in {self.verdicts[ask], self.from_yaml[ask]}
        ]


@dataclass
class Network:
    """The pods of a cluster, with the policies that stand at the moment.

    Attributes:
        cluster: Where they are.
        image: An image with Python.
        objects: Namespaces and pods as the API server gives them.
        policies: The policies that stand.
        outside: Ports on which the address outside the cluster answers.
    """

    cluster: LiveCluster
    image: str
    objects: list[Object] = field(default_factory=list)
    policies: list[Object] = field(default_factory=list)
    outside: tuple[int, ...] = ()

    def start(self) -> None:
        """Bring the pods up, without policies."""
        made = list(pods.objects(self.image))
        self.cluster.apply(*made[: len(pods.NAMESPACES)])
        for home in pods.NAMESPACES:
            self.cluster.delete("networkpolicies", "--all", "-n", home)
        self.cluster.apply(*made[len(pods.NAMESPACES) :])
        for home, wanted in pods.names().items():
            self.cluster.wait_for_pods(home, wanted, seconds=180)
        namespaces = self.cluster.items("namespaces", *pods.NAMESPACES)
        self.objects = [
            *namespaces,
            *(pod for home in pods.NAMESPACES for pod in self.cluster.items("pods", "-n", home)),
        ]

    def stop(self) -> None:
        """Delete everything."""
        self.cluster.delete("namespaces", *pods.NAMESPACES)

    def replace_policies(self, policies: list[Object]) -> None:
        """Apply a set, and delete what only the set before it had."""
        stale = {_key(each) for each in self.policies} - {_key(each) for each in policies}
        for home in {home for home, _ in stale}:
            self.cluster.delete("networkpolicies", "-n", home, *(name for where, name in stale if where == home))
        self.cluster.apply(*policies)
        self.policies = policies


def show_that_everything_is_open(network: Network, agents: Agents) -> None:
    """Without policies every connection is open: a refusal proves nothing where nobody ever gets an answer.

    Raises:
        CommandError: Something is closed.
    """
    source, *_ = _addresses(network.objects)
    answers = agents.probe({source: [("tcp", OUTSIDE, port) for port in _WEB]})[source]
    network.outside = tuple(port for port, answer in zip(_WEB, answers, strict=True) if answer == "open")
    closed = compare(network, agents, []).wrong()
    if closed:
        raise CommandError(f"without any policy these connections are not as they must be: {'; '.join(closed[:5])}")


def compare(
    network: Network, agents: Agents, policies: list[Object], *, seconds: float = SETTLE_SECONDS, as_drawn: bool = False
) -> Compared:
    """Apply a policy set and observe it until the network agrees with the audit, or time is up.

    Args:
        network: Where to apply it.
        agents: Who observes.
        policies: The set; its verdicts are those of the policies as they are here.
        seconds: When to give up.
        as_drawn: Apply the policies as they are; otherwise as policies of one direction each, which by the API is the
            same and avoids the first of `FAULTS`.
    """
    targets = _targets(network)
    asks = [ask for of_one in targets.values() for ask in of_one]

    def verdicts(of: list[Object], *, cover_pods: bool | None) -> dict[Ask, Verdict]:
        engine = Audit([*network.objects, *of], Assumptions(ip_blocks_cover_pods=cover_pods))
        return {ask: engine.verdict(*ask) for ask in asks}

    said, from_yaml = verdicts(policies, cover_pods=True), verdicts(policies, cover_pods=None)
    as_faulty = verdicts(as_kube_router_treats(policies, network.objects), cover_pods=True)
    began = time.monotonic()
    network.replace_policies(policies if as_drawn else [part for each in policies for part in one_per_direction(each)])
    rounds, settled = 0, Settled()
    while True:
        observed = _observe(agents, targets, said)
        rounds += 1
        found = Compared(policies, said, from_yaml, observed, as_faulty, time.monotonic() - began, rounds)
        state = "fault" if found.shows_a_fault else "" if found.wrong() else "agrees"
        if settled.after(state) or found.seconds > seconds:
            return found


@dataclass
class Settled:
    """Whether observations have been alike for long enough."""

    state: str = ""
    times: int = 0

    def after(self, state: str) -> bool:
        """Take another observation: what it shows, or nothing that is known."""
        self.times = self.times + 1 if state == self.state else 1
        self.state = state
        return bool(state) and self.times >= _ALIKE


def _targets(network: Network) -> dict[str, dict[Ask, Target]]:
    """What each pod probes: every port of every pod, itself included, and an address outside the cluster."""
    addresses = _addresses(network.objects)
    ports = [*((port, "TCP") for port in pods.TCP), *((port, "UDP") for port in pods.UDP)]
    asked = {(key, *port): address for key, address in addresses.items() for port in ports}
    asked |= {(OUTSIDE, port, "TCP"): OUTSIDE for port in network.outside}
    return {
        source: {
            (source, name, port, protocol): (protocol.lower(), address, port)
            for (name, port, protocol), address in asked.items()
        }
        for source in addresses
    }


def _addresses(objects: Sequence[Object]) -> dict[str, str]:
    """The address of each pod."""
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": each["status"]["podIP"]
        for each in objects
        if each["kind"] == "Pod"
    }


def _observe(agents: Agents, targets: dict[str, dict[Ask, Target]], verdicts: dict[Ask, Verdict]) -> dict[Ask, bool]:
    """Which connections are open; one that is expected to be is tried again before it counts as closed."""
    observed = _probe(agents, targets, SECONDS)
    again = {
        source: {ask: target for ask, target in asks.items() if verdicts[ask] == "allowed" and not observed[ask]}
        for source, asks in targets.items()
    }
    return observed | _probe(agents, {source: asks for source, asks in again.items() if asks}, PATIENT_SECONDS)


def _probe(agents: Agents, targets: dict[str, dict[Ask, Target]], seconds: float) -> dict[Ask, bool]:
    outcomes = agents.probe({source: list(asks.values()) for source, asks in targets.items()}, seconds)
    return {
        ask: outcome == "open"
        for source, asks in targets.items()
        for ask, outcome in zip(asks, outcomes[source], strict=True)
    }


def _key(policy: Object) -> tuple[str, str]:
    return policy["metadata"]["namespace"], policy["metadata"]["name"]
