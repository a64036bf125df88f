"""One long-lived `kubectl exec` per pod, which probes many targets at once, as often as it is asked."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.audit.live.pods import names
from tests.e2e.cluster import LiveCluster

_AGENT: Final = Path(__file__).with_name("agent.py")
SECONDS: Final = 1
"""How long a probe waits for an answer."""
PATIENT_SECONDS: Final = 6
"""How long it waits where an answer is expected and did not come: slow is not closed."""
Target = tuple[str, str, int]
"""Protocol (tcp or udp), address, port."""


class Agents:
    """The agents in all pods."""

    def __init__(self, cluster: LiveCluster) -> None:
        code = _AGENT.read_text("utf-8")
        self._running = {
            f"{home}/{name}": subprocess.Popen(
                cluster.kubectl.command("exec", "-i", "-n", home, name, "--", "python", "-c", code),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for home, pods in names().items()
            for name in pods
        }

    def __enter__(self) -> Self:
        for key, process in self._running.items():
            if _line(process, key) != "ready":
                raise RuntimeError(f"the agent in {key} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running.values():
            if process.stdin and process.stdout:
                process.stdin.close()
                process.stdout.close()
            process.wait(timeout=30)

    def probe(self, targets: Mapping[str, Sequence[Target]], seconds: float = SECONDS) -> dict[str, list[str]]:
        """What came of probing, from each pod, its targets."""
        with ThreadPoolExecutor(len(self._running)) as pool:
            answers = pool.map(lambda key: self._ask(key, targets[key], seconds), targets)
            return dict(zip(targets, answers, strict=True))

    def _ask(self, key: str, targets: Sequence[Target], seconds: float) -> list[str]:
        process = self._running[key]
        if process.stdin is None:
            raise RuntimeError(key)
        process.stdin.write(json.dumps({"seconds": seconds, "targets": targets}) + "\n")
        process.stdin.flush()
        outcomes: list[str] = json.loads(_line(process, key))
        return outcomes


def _line(process: subprocess.Popen[str], key: str) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"the agent in {key} ended")
    return line.strip()
