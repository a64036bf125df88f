"""Applies policy sets one after the other, observes until the network has settled, and compares with an engine."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.audit.engines import Engine
from tests.audit.live import pods
from tests.audit.live.probes import Agents, Target
from tests.audit.reference import Object, Verdict
from tests.e2e.cluster import Cluster
from tests.e2e.probes import OUTSIDE

SETTLE_SECONDS: Final = 40
"""How long the network may take until it does what the engine says; after that a difference counts."""
_AGREEING: Final = 2
"""So many observations in a row have to agree."""

Ask = tuple[str, str, int, str]
"""Source, destination, port and protocol."""
MakeEngine = Callable[[Iterable[Object]], Engine]


@dataclass(frozen=True)
class Compared:
    """What came of one policy set.

    Attributes:
        policies: The set.
        verdicts: What the engine said of each connection.
        observed: Which connections were open.
        seconds: From applying the set to the last observation.
        rounds: How many observations it took.
    """

    policies: Sequence[Object]
    verdicts: dict[Ask, Verdict]
    observed: dict[Ask, bool]
    seconds: float
    rounds: int

    def wrong(self) -> list[Ask]:
        """Connections about which the engine was certain and the network did otherwise."""
        return [ask for ask, is_open in self.observed.items() if self.verdicts[ask] == _SAYS[not is_open]]

    def count(self, verdict: Verdict) -> int:
        """How many connections have this verdict."""
        return list(self.verdicts.values()).count(verdict)


_SAYS: Final[dict[bool, Verdict]] = {True: "allowed", False: "denied"}


@dataclass
class Network:
    """The pods of a cluster, with the policies that stand at the moment."""

    cluster: Cluster
    image: str
    policies: list[Object] = field(default_factory=list)

    def start(self) -> None:
        """Bring the pods up, without policies."""
        made = list(pods.objects(self.image))
        self.cluster.apply(*made[: len(pods.NAMESPACES)])
        for home in pods.NAMESPACES:
            self.cluster.delete("networkpolicies", "--all", "-n", home)
        self.cluster.apply(*made[len(pods.NAMESPACES) :])
        for home, wanted in pods.names().items():
            self.cluster.wait_for_pods(home, wanted, seconds=180)

    def stop(self) -> None:
        """Delete everything."""
        self.cluster.delete("namespaces", *pods.NAMESPACES)

    def dump(self) -> list[Object]:
        """Namespaces and pods as the API server gives them."""
        namespaces = self.cluster.items("namespaces", *pods.NAMESPACES)
        return [*namespaces, *(pod for home in pods.NAMESPACES for pod in self.cluster.items("pods", "-n", home))]

    def replace_policies(self, policies: list[Object]) -> None:
        """Apply a set, and delete what only the set before it had."""
        stale = {_key(each) for each in self.policies} - {_key(each) for each in policies}
        for home in {home for home, _ in stale}:
            self.cluster.delete("networkpolicies", "-n", home, *(name for where, name in stale if where == home))
        self.cluster.apply(*policies)
        self.policies = policies


def compare(
    network: Network, agents: Agents, objects: Sequence[Object], policies: list[Object], make_engine: MakeEngine
) -> Compared:
    """Apply a policy set and observe it until the network agrees with the engine, or time is up.

    Args:
        network: Where to apply it.
        agents: Who observes.
        objects: Namespaces and pods, as `Network.dump` gives them.
        policies: The set.
        make_engine: Makes the engine for all objects.
    """
    engine = make_engine([*objects, *policies])
    targets = _targets(objects)
    verdicts = {ask: engine.verdict(*ask) for asks in targets.values() for ask in asks}
    began = time.monotonic()
    network.replace_policies(policies)
    agreeing = rounds = 0
    while True:
        observed = _observe(agents, targets)
        found = Compared(policies, verdicts, observed, time.monotonic() - began, rounds := rounds + 1)
        agreeing = 0 if found.wrong() else agreeing + 1
        if agreeing == _AGREEING or found.seconds > SETTLE_SECONDS:
            return found


def _targets(objects: Sequence[Object]) -> dict[str, dict[Ask, Target]]:
    """What each pod probes: every port of every pod, itself included, and an address outside the cluster."""
    addresses = {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": each["status"]["podIP"]
        for each in objects
        if each["kind"] == "Pod"
    }
    ports = [*((port, "TCP") for port in pods.TCP), *((port, "UDP") for port in pods.UDP)]
    outside = {(OUTSIDE, port, "TCP"): OUTSIDE for port in (80, 443)}
    inside = {(key, *port): address for key, address in addresses.items() for port in ports}
    return {
        source: {
            (source, name, port, protocol): (protocol.lower(), address, port)
            for (name, port, protocol), address in (inside | outside).items()
        }
        for source in addresses
    }


def _observe(agents: Agents, targets: dict[str, dict[Ask, Target]]) -> dict[Ask, bool]:
    outcomes = agents.probe({source: list(asks.values()) for source, asks in targets.items()})
    return {
        ask: outcome == "open"
        for source, asks in targets.items()
        for ask, outcome in zip(asks, outcomes[source], strict=True)
    }


def _key(policy: Object) -> tuple[str, str]:
    return policy["metadata"]["namespace"], policy["metadata"]["name"]
