"""Counters of pods as Prometheus stores them, and what the pods really counted, for tests of `tenantry usage`.

A pod counts requests all the time, and Prometheus sees its counters only when it scrapes them. The pods of a history
start, end, restart and are replaced; Prometheus itself does not record for a while.
"""

import random
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from constructs_lib.names import SCRAPE_SECONDS, service_name
from inference import contract
from tenantry.programs import find
from tests.rules.series import TENANT, name

CPU_SHARE = 0.25
"""CPU seconds per second of each pod."""


@dataclass(frozen=True)
class Pod:
    """A pod with one process, or several one after the other.

    Attributes:
        name: Its name.
        starts: When each of its processes starts, in seconds since the epoch.
        end: When the last one ends.
        rates: Requests per second of each caller.
        unreachable: When scrapes of it fail.
        tenant: Whose pod it is.
    """

    name: str
    starts: Sequence[int]
    end: int
    rates: dict[str, float]
    unreachable: tuple[int, int] = (0, 0)
    tenant: str = TENANT

    def lives(self) -> Iterator[tuple[int, int]]:
        """Begin and end of each of its processes."""
        yield from zip(self.starts, (*self.starts[1:], self.end), strict=True)

    def series(self, metric: str, **labels: str) -> str:
        """A series of it, as Prometheus stores it."""
        job = service_name(self.tenant)
        target = {"namespace": self.tenant, "job": job, "service": job, "pod": self.name, "instance": self.name}
        return name(metric, **target, **labels)


@dataclass(frozen=True)
class History:
    """What happened.

    Attributes:
        pods: All pods.
        outages: Times in which Prometheus does not record.
    """

    pods: Sequence[Pod]
    outages: Sequence[tuple[int, int]] = ()

    def truth(self, caller: str, start: int, end: int) -> int:
        """How many requests a caller has really sent in a period."""
        return sum(
            _count(pod.rates.get(caller, 0), begin, min(until, end)) - _count(pod.rates.get(caller, 0), begin, start)
            for pod in self.pods
            for begin, until in pod.lives()
            if until > start and begin < end
        )

    def stored(self, caller: str, start: int, end: int) -> int:
        """How many of them the samples show that Prometheus has stored by the end of the period, and not before it."""
        return sum(
            _count(pod.rates.get(caller, 0), begin, max(seen)) - _count(pod.rates.get(caller, 0), begin, before)
            for pod in self.pods
            for begin, until in pod.lives()
            if (seen := [at for at in self.scrapes(pod, begin, until) if at <= end])
            for before in [max((at for at in seen if at <= start), default=begin)]
        )

    def scrapes(self, pod: Pod, begin: int, end: int) -> Iterator[float]:
        """When a process was scraped and its counters are stored."""
        offset = random.Random(pod.name).uniform(0, SCRAPE_SECONDS)  # noqa: S311 - not a secret
        at = begin - begin % SCRAPE_SECONDS + offset
        while at < end:
            if at >= begin and not any(start <= at < until for start, until in (*self.outages, pod.unreachable)):
                yield at
            at += SCRAPE_SECONDS

    def write(self, folder: Path) -> None:
        """Write blocks that Prometheus reads into `folder/run`."""
        text = folder / "samples.txt"
        with text.open("w") as file:
            for pod in self.pods:
                file.writelines(f"{line}\n" for _, line in self._lines(pod))
            file.write("# EOF\n")
        command = [find("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=54h"]
        subprocess.run([*command, str(text), str(folder / "run")], capture_output=True, check=True)
        text.unlink()

    def _lines(self, pod: Pod) -> list[tuple[float, str]]:
        """The samples of a pod, by time."""
        lines = [(float(at), f"{pod.series('up')} 0 {at}") for at in range(*pod.unreachable, SCRAPE_SECONDS)]
        for number, (begin, end) in enumerate(pod.lives()):
            for at in self.scrapes(pod, begin, end):
                lines += ((at, f"{series} {value} {at:.3f}") for series, value in _samples(pod, number, begin, at))
        return sorted(lines)


def _samples(pod: Pod, number: int, begin: int, at: float) -> Iterator[tuple[str, float]]:
    yield pod.series("up"), 1
    for caller, rate in pod.rates.items():
        count = _count(rate, begin, at)
        yield pod.series(contract.CALLER_REQUESTS, caller=caller), count
        yield pod.series(contract.CALLER_TEXTS, caller=caller), 3 * count
        yield pod.series(contract.CALLER_SECONDS, caller=caller), count / 1_000
        yield pod.series(contract.CALLER_REJECTED, caller=caller, reason=contract.RATE_LIMIT), 2 * count
    yield pod.series(contract.SHED, reason="in_flight"), _count(0.1, begin, at)
    yield pod.series(contract.SHED, reason=contract.RATE_LIMIT), _count(9, begin, at)
    cpu = {"namespace": pod.tenant, "pod": pod.name, "container": "inference", "id": f"/{pod.name}/{number}"}
    yield name("container_cpu_usage_seconds_total", job="kubelet", **cpu), CPU_SHARE * (at - begin)


def _count(rate: float, begin: int, at: float) -> int:
    """What a counter shows: requests come in bursts of a minute, and then none for a minute."""
    whole, part = divmod(max(at - begin, 0), 120)
    return int(rate * 2 * (whole * 60 + min(part, 60)))
