"""Results of the rounds: medians, ratios, a table and a picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.serving.systems import CONSTANT, KEYED, NAIVE, OURS, UNMETERED
from bench.serving.work import MAILS, ONE_MB, SHORT, TEN_KB

Sample = Mapping[str, Any]
"""One measurement: system, workload, connections, round, and the numbers of `run.load`."""
MAIN_CONNECTIONS: Final = 32
BEGIN: Final = "<!-- figures: make bench -->\n"
END: Final = "<!-- /figures -->\n"
"""The markers around the main figures in a document."""
_NUMBERS: Final = ("requests_per_second", "p50_ms", "p99_ms", "max_ms", "cpu_us", "errors")
_WORST: Final = ("health_max_ms",)
_VARIANTS: Final = (UNMETERED, KEYED)
"""Systems that the README and the picture leave out."""
_STARTS: Final = ("start_seconds", "memory_mb")


@dataclass(frozen=True)
class Goal:
    """A goal, and what was measured."""

    name: str
    wanted: str
    found: float
    reached: bool


class Summary:
    """Medians of all rounds, by system, workload and connections.

    Args:
        result: What a run found, as `bench/results/serving.json` holds it.

    Attributes:
        result: The same.
        titles: What each system is called.
    """

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result: Final = result
        self.titles: Final = {name: system["title"] for name, system in result["systems"].items()}
        by = ("system", "workload", "connections")
        worst = _each(result["samples"], by, _WORST, max)
        self._cells = {key: cell | worst[key] for key, cell in _each(result["samples"], by, _NUMBERS, median).items()}
        self._starts = _each(result["starts"], ("system",), _STARTS, median)
        self._peers = tuple(name for name, system in result["systems"].items() if system["peer"])

    @property
    def systems(self) -> list[str]:
        """The systems, in the order in which they took turns."""
        return [key[0] for key in self._starts]

    @property
    def workloads(self) -> list[tuple[str, int]]:
        """The workloads and their numbers of connections, in order."""
        return list(dict.fromkeys((key[1], key[2]) for key in self._cells))

    @property
    def medians(self) -> list[dict[str, Any]]:
        """Every cell with its ratio to the naive service."""
        return [
            {
                "system": key[0],
                "workload": key[1],
                "connections": key[2],
                **cell,
                "times_naive": self.ratio(key[0], NAIVE, *key[1:]),
            }
            for key, cell in self._cells.items()
        ]

    def of(self, system: str, workload: str, connections: int = MAIN_CONNECTIONS) -> dict[str, float] | None:
        """The medians of a cell, if it was measured."""
        return self._cells.get((system, workload, connections))

    def start_of(self, system: str) -> dict[str, float]:
        """A system's medians of `start_seconds` and `memory_mb`."""
        return self._starts[(system,)]

    def ratio(self, system: str, to: str, workload: str, connections: int = MAIN_CONNECTIONS) -> float | None:
        """How many times as many requests the system answered as `to`; None if one of them answered none."""
        one, other = self.of(system, workload, connections), self.of(to, workload, connections)
        if one is None or other is None or not other["requests_per_second"]:
            return None
        return one["requests_per_second"] / other["requests_per_second"]

    def ns_a_byte(self, system: str, workload: str) -> float | None:
        """CPU time of a request on one connection, per byte of its text."""
        cell = self.of(system, workload, 1)
        if cell is None:
            return None
        bytes_a_text: float = self.result["workloads"][workload]["mean_bytes"]
        return 1e3 * cell["cpu_us"] / bytes_a_text

    def cost_of_measuring(self) -> float | None:
        """Share of a short request's CPU time spent on metrics: the median of the shares of the rounds.

        In a round the service takes its turns with and without metrics one after the other, so that what the machine
        does in other minutes is in neither; a round that it spoils all the same is outvoted.
        """
        cpu = {
            (sample["round"], sample["system"]): sample["cpu_us"]
            for sample in self.result["samples"]
            if (sample["workload"], sample["connections"]) == (SHORT, MAIN_CONNECTIONS)
        }
        pairs = [(cost, cpu.get((number, UNMETERED))) for (number, system), cost in cpu.items() if system == OURS]
        shares = [1 - without / cost for cost, without in pairs if without is not None]
        return median(shares) if shares else None

    def best_peer(self, workload: str, connections: int = MAIN_CONNECTIONS) -> str | None:
        """The fastest peer."""
        measured = [
            (cell["requests_per_second"], peer)
            for peer in self._peers
            if (cell := self.of(peer, workload, connections))
        ]
        return max(measured)[1] if measured else None

    def goals(self) -> list[Goal]:
        """The goals that this run can judge."""
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
        at_least("short: ratio to the constant answer", 0.4, self.ratio(OURS, CONSTANT, SHORT))
        ours, naive = self.of(OURS, SHORT), self.of(NAIVE, SHORT)
        if ours and naive:
            at_most("short: p99, share of naive's", 1 / 25, ours["p99_ms"] / naive["p99_ms"])
        if UNMETERED in self.systems:
            at_most("short: share of a request's CPU that measuring costs", 0.05, self.cost_of_measuring())
        at_least("short: requests/s with keys and limits, share of those without", 0.9, self.ratio(KEYED, OURS, SHORT))
        if OURS in self.systems:
            at_most("seconds from start to first answer", 0.8, self.start_of(OURS)["start_seconds"])
            at_most("memory after load, MB", 120, self.start_of(OURS)["memory_mb"])
        long, longer = self.ns_a_byte(OURS, TEN_KB), self.ns_a_byte(OURS, ONE_MB)
        at_most("1 MB: CPU a byte, times that of 10 kB", 1.5, long and longer and longer / long)
        waits = [cell.get("health_max_ms") for key, cell in self._cells.items() if key[:2] == (OURS, ONE_MB)]
        at_most("1 MB: longest wait of another request, ms", 50, max((wait for wait in waits if wait), default=None))
        return goals


def table(summary: Summary) -> str:
    """Everything in Markdown: a table per workload, cost by length, start-up and memory, goals, excluded systems."""
    titles = summary.titles
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
    lines += _length_table(summary)
    lines += ["### Start and memory", "", "| system | first answer after, s | memory, MB |", "| --- | ---: | ---: |"]
    for system in summary.systems:
        start = summary.start_of(system)
        lines.append(f"| {titles[system]} | {start['start_seconds']:.2f} | {start['memory_mb']:.0f} |")
    lines += ["", "### Goals", "", "| goal | wanted | found | |", "| --- | --- | ---: | --- |"]
    for goal in summary.goals():
        mark = "reached" if goal.reached else "**missed**"
        lines.append(f"| {goal.name} | {goal.wanted} | {goal.found:,.{3 if goal.found < 1 else 1}f} | {mark} |")
    for system, reason in summary.result["left_out"].items():
        lines += ["", f"{titles[system]} is not in all rounds: {' '.join(reason.split())}"]
    return "\n".join(lines) + "\n"


def figures(summary: Summary) -> str:
    """The main figures, for the README: both workloads at 32 connections, start and memory."""
    result = summary.result
    lines = [
        "![Requests per second of each system, short messages and real mails](docs/serving.svg)",
        "",
        "| | short messages: requests/s | x naive | p99 ms | mails: requests/s | x naive | p99 ms | start s | MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for system in (each for each in summary.systems if each not in _VARIANTS):
        start, cells = summary.start_of(system), [summary.of(system, workload) for workload in (SHORT, MAILS)]
        columns = []
        for workload, cell in zip((SHORT, MAILS), cells, strict=True):
            ratio = summary.ratio(system, NAIVE, workload)
            columns += [
                f"{cell['requests_per_second']:,.0f}" if cell else "-",
                f"{ratio:,.1f}" if ratio else "-",
                f"{cell['p99_ms']:,.1f}" if cell else "-",
            ]
        columns += [f"{start['start_seconds']:.2f}", f"{start['memory_mb']:.0f}"]
        lines.append(f"| {summary.titles[system]} | {' | '.join(columns)} |")
    machine = f"{result['machine']['processor']}, Python {result['machine']['python']}"
    if commit := result["machine"].get("commit"):
        machine += f", commit {commit}"
    lines += [
        "",
        f"Medians of {result['rounds']} rounds, {MAIN_CONNECTIONS} connections, one core for the server; {machine}.",
        "The constant answer shows what uvicorn and ASGI cost without a model. Tenantry answers short requests",
        "before ASGI, so this is not an upper limit for it.",
        "[All figures](bench/results/serving.md), and [how they are measured](bench/README.md).",
    ]
    return "\n".join(lines) + "\n"


def with_figures(document: str, summary: Summary) -> str:
    """`document` with the main figures between its markers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the document lacks {BEGIN.strip()} followed by {END.strip()}")
    return before + begin + figures(summary) + end + after


def picture(summary: Summary, file: Path) -> None:
    """Draw requests per second at 32 connections, short messages beside real mails; the same data, the same SVG."""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second, and only the picture needs it

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shown = [system for system in reversed(summary.systems) if system not in _VARIANTS]
    with plt.rc_context(
        {"svg.hashsalt": "serving", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    ):
        figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.9), sharey=True, layout="constrained")
        for axis, workload in zip(axes, (SHORT, MAILS), strict=True):
            _bars(axis, summary, shown, workload)
        axes[0].set_yticks(range(len(shown)), [summary.titles[system] for system in shown])
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", metadata={"Date": None})
        plt.close(figure)


def _bars(axis: Any, summary: Summary, shown: Sequence[str], workload: str) -> None:
    rates = [(summary.of(system, workload) or {}).get("requests_per_second", 0.0) for system in shown]
    colours = {OURS: "#c2570c", CONSTANT: "#c9c5bd"}
    bars = axis.barh(range(len(shown)), rates, color=[colours.get(system, "#5b7ea8") for system in shown], height=0.65)
    labels = []
    for system, rate in zip(shown, rates, strict=True):
        ratio = summary.ratio(system, NAIVE, workload)
        labels.append(f"{rate:,.0f}" + ("" if ratio is None or system == NAIVE else f"  ({ratio:,.1f}x)"))
    axis.bar_label(bars, labels, padding=4)
    axis.set_title({SHORT: "Short messages", MAILS: "Real mails"}[workload], loc="left", fontweight="bold")
    axis.set_xlabel(f"requests per second, {MAIN_CONNECTIONS} connections, one core")
    axis.set_xlim(0, max(*rates, 1.0) * 1.3)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(left=False)
    axis.locator_params(axis="x", nbins=4)  # more would overlap
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _length_table(summary: Summary) -> list[str]:
    workloads = [workload for workload in (SHORT, MAILS, TEN_KB, ONE_MB) if (workload, 1) in summary.workloads]
    if not workloads:
        return []
    lines = [
        "### CPU ns per byte of text, 1 connection",
        "",
        f"| system | {' | '.join(workloads)} |",
        f"| --- |{' ---: |' * len(workloads)}",
    ]
    for system in summary.systems:
        costs = [summary.ns_a_byte(system, workload) for workload in workloads]
        if any(costs):
            lines.append(
                f"| {summary.titles[system]} | {' | '.join(f'{cost:,.1f}' if cost else '-' for cost in costs)} |"
            )
    return [*lines, ""]


def _each(
    samples: Sequence[Sample], by: Sequence[str], numbers: Sequence[str], chosen: Callable[[Iterable[float]], float]
) -> dict[tuple[Any, ...], dict[str, float]]:
    """For each group of samples that agree in `by`: the median, or the worst, of each number that all of them have."""
    groups: dict[tuple[Any, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(tuple(sample[name] for name in by), []).append(sample)
    return {
        key: {name: chosen(each[name] for each in group) for name in numbers if all(name in each for each in group)}
        for key, group in groups.items()
    }


def _digits(rate: float) -> int:
    return 0 if rate >= 10 else 1  # noqa: PLR2004 - below 10, a whole number is too coarse
