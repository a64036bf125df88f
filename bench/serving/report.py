"""What the rounds say: medians, ratios, a table and a picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.serving.systems import FLOOR, NAIVE, OURS, UNMETERED
from bench.serving.work import MAILS, ONE_MB, SHORT

Sample = Mapping[str, Any]
"""One measurement: system, workload, connections, round, and the numbers of `run.load`."""
MAIN_CONNECTIONS: Final = 32
_NUMBERS: Final = ("requests_per_second", "p50_ms", "p99_ms", "max_ms", "cpu_us", "errors", "health_max_ms")
_STARTS: Final = ("start_seconds", "memory_mb")


@dataclass(frozen=True)
class Goal:
    """Something that was promised, and what was found."""

    name: str
    wanted: str
    found: float
    reached: bool


class Summary:
    """Medians of all rounds, by system, workload and connections.

    Args:
        samples: One for each system, workload, number of connections and round.
        starts: One for each system and round: `start_seconds` and `memory_mb`.
        peers: The names of the systems that are peers.
    """

    def __init__(self, samples: Sequence[Sample], starts: Sequence[Sample], peers: Iterable[str]) -> None:
        self._cells = _medians(samples, ("system", "workload", "connections"), _NUMBERS)
        self._starts = _medians(starts, ("system",), _STARTS)
        self._peers = tuple(peers)

    @property
    def systems(self) -> list[str]:
        """The systems, in the order in which they took turns."""
        return [key[0] for key in self._starts]

    @property
    def workloads(self) -> list[tuple[str, int]]:
        """The workloads and their numbers of connections, in order."""
        return list(dict.fromkeys((key[1], key[2]) for key in self._cells))

    def of(self, system: str, workload: str, connections: int = MAIN_CONNECTIONS) -> dict[str, float] | None:
        """A cell's medians, if it was measured."""
        return self._cells.get((system, workload, connections))

    def start_of(self, system: str) -> dict[str, float]:
        """A system's medians of `start_seconds` and `memory_mb`."""
        return self._starts[(system,)]

    def ratio(self, system: str, to: str, workload: str, connections: int = MAIN_CONNECTIONS) -> float | None:
        """How many times the requests of `to` the system answered; None where one of them answered none."""
        one, other = self.of(system, workload, connections), self.of(to, workload, connections)
        if one is None or other is None or not other["requests_per_second"]:
            return None
        return one["requests_per_second"] / other["requests_per_second"]

    def best_peer(self, workload: str, connections: int = MAIN_CONNECTIONS) -> str | None:
        """The fastest peer."""
        measured = [
            (cell["requests_per_second"], peer)
            for peer in self._peers
            if (cell := self.of(peer, workload, connections))
        ]
        return max(measured)[1] if measured else None

    def goals(self) -> list[Goal]:
        """The promises that this run can judge."""
        goals: list[Goal] = []

        def at_least(name: str, wanted: float, found: float | None) -> None:
            if found is not None:
                goals.append(Goal(name, f"at least {wanted:g}", found, found >= wanted))

        def at_most(name: str, wanted: float, found: float | None) -> None:
            if found is not None:
                goals.append(Goal(name, f"at most {wanted:g}", found, found <= wanted))

        for workload, times_naive, times_peer in ((SHORT, 35, 12), (MAILS, 25, 10)):
            peer = self.best_peer(workload)
            at_least(f"{workload}: requests/s, times naive", times_naive, self.ratio(OURS, NAIVE, workload))
            if peer:
                at_least(f"{workload}: requests/s, times {peer}", times_peer, self.ratio(OURS, peer, workload))
        at_least("short: share of the floor", 0.4, self.ratio(OURS, FLOOR, SHORT))
        ours, naive = self.of(OURS, SHORT), self.of(NAIVE, SHORT)
        if ours and naive:
            at_most("short: p99, share of naive's", 1 / 25, ours["p99_ms"] / naive["p99_ms"])
        if UNMETERED in self.systems:
            measured = self.ratio(OURS, UNMETERED, SHORT)
            at_most("short: share of requests that measuring costs", 0.05, measured and 1 - measured)
        if OURS in self.systems:
            at_most("seconds from start to first answer", 0.8, self.start_of(OURS)["start_seconds"])
            at_most("memory after load, MB", 120, self.start_of(OURS)["memory_mb"])
        waits = [cell.get("health_max_ms") for key, cell in self._cells.items() if key[:2] == (OURS, ONE_MB)]
        at_most("1 MB: longest wait of another request, ms", 50, max((wait for wait in waits if wait), default=None))
        return goals


def table(summary: Summary, titles: Mapping[str, str]) -> str:
    """Everything in Markdown: a table a workload, starts and memory, the goals."""
    lines: list[str] = []
    for workload, connections in summary.workloads:
        lines += [
            f"### {workload}, {connections} {'connection' if connections == 1 else 'connections'}",
            "",
            "| system | requests/s | x naive | p50 ms | p99 ms | CPU us | errors |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for system in summary.systems:
            cell = summary.of(system, workload, connections)
            if cell is None:
                continue
            ratio = summary.ratio(system, NAIVE, workload, connections)
            times = "-" if ratio is None else f"{ratio:,.1f}"
            rate = cell["requests_per_second"]
            lines.append(
                f"| {titles[system]} | {rate:,.{_digits(rate)}f} | {times} | {cell['p50_ms']:,.2f}"
                f" | {cell['p99_ms']:,.2f} | {cell['cpu_us']:,.0f} | {cell['errors']:,.0f} |"
            )
        lines.append("")
    lines += ["### Start and memory", "", "| system | first answer after, s | memory, MB |", "| --- | ---: | ---: |"]
    for system in summary.systems:
        start = summary.start_of(system)
        lines.append(f"| {titles[system]} | {start['start_seconds']:.2f} | {start['memory_mb']:.0f} |")
    lines += ["", "### Goals", "", "| goal | wanted | found | |", "| --- | --- | ---: | --- |"]
    for goal in summary.goals():
        mark = "reached" if goal.reached else "**missed**"
        lines.append(f"| {goal.name} | {goal.wanted} | {goal.found:,.{3 if goal.found < 1 else 1}f} | {mark} |")
    return "\n".join(lines) + "\n"


def picture(summary: Summary, titles: Mapping[str, str], file: Path) -> None:
    """Draw requests a second at 32 connections, short messages beside real mails; the same data, the same SVG."""
    import matplotlib as mpl  # noqa: PLC0415 - a second that only the picture needs

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shown = [system for system in reversed(summary.systems) if system != UNMETERED]
    with plt.rc_context(
        {"svg.hashsalt": "serving", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    ):
        figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.9), sharey=True, layout="constrained")
        for axis, workload in zip(axes, (SHORT, MAILS), strict=True):
            _bars(axis, summary, shown, workload)
        axes[0].set_yticks(range(len(shown)), [titles[system] for system in shown])
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", metadata={"Date": None})
        plt.close(figure)


def _bars(axis: Any, summary: Summary, shown: Sequence[str], workload: str) -> None:
    rates = [(summary.of(system, workload) or {}).get("requests_per_second", 0.0) for system in shown]
    colours = {OURS: "#c2570c", FLOOR: "#c9c5bd"}
    bars = axis.barh(range(len(shown)), rates, color=[colours.get(system, "#5b7ea8") for system in shown], height=0.65)
    labels = []
    for system, rate in zip(shown, rates, strict=True):
        ratio = summary.ratio(system, NAIVE, workload)
        labels.append(f"{rate:,.0f}" + ("" if ratio is None or system == NAIVE else f"  ({ratio:,.1f}x)"))
    axis.bar_label(bars, labels, padding=4)
    axis.set_title({SHORT: "Short messages", MAILS: "Real mails"}[workload], loc="left", fontweight="bold")
    axis.set_xlabel(f"requests a second, {MAIN_CONNECTIONS} connections, one core")
    axis.set_xlim(0, max(*rates, 1.0) * 1.3)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(left=False)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _medians(
    samples: Sequence[Sample], by: Sequence[str], numbers: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, float]]:
    groups: dict[tuple[Any, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(tuple(sample[name] for name in by), []).append(sample)
    return {
        key: {name: median(each[name] for each in group) for name in numbers if all(name in each for each in group)}
        for key, group in groups.items()
    }


def _digits(rate: float) -> int:
    return 0 if rate >= 10 else 1  # noqa: PLR2004 - below, a whole number says too little
