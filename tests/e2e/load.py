"""Load from inside the cluster: a pod sends requests to a tenant and counts every one."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from inference import contract
from tenantry.cluster.load_job import SCRIPT
from tests.e2e import pods
from tests.e2e.cluster import LiveCluster, service

LAG_SECONDS: Final = 9
"""A second is printed when none of its requests can still be open: the client's time-out, plus a margin."""


@dataclass(frozen=True)
class Target:
    """Where a load generator sends its requests.

    Attributes:
        address: address of the host name; empty if the cluster's DNS knows it.
    """

    host: str
    port: int
    address: str = ""


@dataclass
class Window:
    """The outcome of the requests that were sent between two moments."""

    ok: int = 0
    shed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Number of requests."""
        return self.ok + self.shed + self.failed.total()

    def percentile(self, share: float) -> float:
        """Latency, in milliseconds, that this share of the answers did not exceed."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def __str__(self) -> str:
        bad = ", ".join(f"{number} {reason}" for reason, number in self.failed.most_common(3))
        shed = f", {self.shed} shed (429)" if self.shed else ""
        failed = f"{self.failed.total()} failed{f' ({bad})' if bad else ''}"
        return (
            f"{self.requests:,} requests, {failed}{shed}, p50 {self.percentile(0.5)} ms, p99 {self.percentile(0.99)} ms"
        )


class Load:
    """A load generator pod.

    Attributes:
        namespace: namespace of the pod; by default it asks the Service of the tenant of this name.
        target: where to send instead.
    """

    def __init__(
        self, cluster: LiveCluster, namespace: str, image: str, name: str = "e2e-load", *, target: Target | None = None
    ) -> None:
        self.cluster, self.namespace, self.image, self.name = cluster, namespace, image, name
        self.target = target or Target(service(namespace), contract.PORT)

    def start(
        self,
        *,
        rate: float,
        connections: int,
        seconds: int,
        characters: int = 100,
        body: object = None,
        cpu: str = "500m",
        node: str = "",
    ) -> None:
        """Start to send requests; return once every connection has had an answer.

        Args:
            rate: Requests per second, of all connections together.
            connections: Number of kept-alive connections.
            seconds: Duration.
            characters: Length of each text.
            body: JSON that is sent instead of a text.
            cpu: CPU limit of the pod.
            node: Node of the pod; empty leaves the choice to the scheduler.
        """
        order = {
            "host": self.target.host,
            "port": self.target.port,
            "path": contract.PREDICT_PATH,
            "rate": rate,
            "connections": connections,
            "seconds": seconds,
            "characters": characters,
            "body": body,
            "requests_per_connection": 0,
            "latencies": True,
        }
        pod = pods.restricted_pod(self.name, namespace=self.namespace, image=self.image)
        container = pod["spec"]["containers"][0]
        container["command"] = ["python", "-c", SCRIPT.read_text("utf-8"), json.dumps(order)]
        container["resources"]["limits"]["cpu"] = cpu
        pod["spec"]["restartPolicy"] = "Never"
        if node:
            pod["spec"]["nodeName"] = node
        if self.target.address:
            pod["spec"]["hostAliases"] = [{"ip": self.target.address, "hostnames": [self.target.host]}]
        self.cluster.apply(pod)
        self.cluster.wait_for_pods(self.namespace, [self.name])
        self.cluster.wait("the load's first answers", self._begins, seconds=60)

    def stop(self) -> None:
        """Delete the pod."""
        self.cluster.delete("pod", self.name, "-n", self.namespace)

    def wait_for(self, second: float) -> None:
        """Wait until all requests of this second are counted."""

        def reason() -> str:
            done = [line["second"] for line in self._lines(tail=3)]
            return "" if done and max(done) >= int(second) else "its requests are not counted yet"

        self.cluster.wait("the load", reason, seconds=max(0.0, second - time.time()) + LAG_SECONDS + 30)

    def window(self, begin: float, end: float) -> Window:
        """The requests of the seconds from `begin` to `end`, both included."""
        window = Window()
        for line in self._lines():
            if int(begin) <= line["second"] <= int(end):
                window.ok += line["ok"]
                window.shed += line["shed"]
                window.failed.update(line["failed"])
                window.milliseconds += line["ms"]
        return window

    def _begins(self) -> str:
        return "" if '"first_attempts"' in self._said() else "its connections have no answer yet"

    def _said(self, tail: int = -1) -> str:
        return self.cluster.kubectl.run("logs", "-n", self.namespace, self.name, f"--tail={tail}")

    def _lines(self, tail: int = -1) -> Iterable[dict[str, Any]]:
        text = self._said(tail)
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if "second" in line]
