"""Runs the cases against a server and collects what they found."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.case import Case
from conformance.cases import all_cases
from conformance.discovery import WrongOptionError, only_model, require_address, require_protocol
from conformance.learning import learn
from conformance.messages import Exchange
from conformance.outcomes import FailedError, NotApplicableError, UnclearError
from conformance.target import Target
from conformance.wire import Connect, Sender, Wire

Outcome = Literal["passed", "failed", "unclear", "not applicable"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to test, and how.

    Attributes:
        url: Address of the server, without `/v2`.
        model: Name of the model; None: the one that the server lists.
        version: Version to ask; None: the server chooses.
        loading_url: Address of a server of the same kind that has not loaded its model; None: the cases that need
            one do not apply.
        headers: Sent with every request.
        timeout_seconds: How long to wait for each answer.
        huge_bytes: Size of the largest body that is sent.
        cases: Patterns of ids, as in a shell; empty: all cases.
        sender: Answers requests in place of the network, for tests.
        loading_sender: The same, for `loading_url`.
        connect: Opens raw connections, for tests.
    """

    url: str
    model: str | None = None
    version: str | None = None
    loading_url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 10.0
    huge_bytes: int = 16 * 1024 * 1024
    cases: Sequence[str] = ()
    sender: Sender | None = None
    loading_sender: Sender | None = None
    connect: Connect | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one case found.

    Attributes:
        case: The case.
        outcome: How it ended.
        detail: What the server did, where the case did not pass.
        exchanges: Everything that was said.
        url: Address of the server that was asked.
    """

    case: Case
    outcome: Outcome
    detail: str
    exchanges: tuple[Exchange, ...]
    url: str

    @property
    def decisive(self) -> Exchange | None:
        """The exchange that the outcome rests on: the last one."""
        return self.exchanges[-1] if self.exchanges else None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What all cases found.

    Attributes:
        url: Address of the server.
        server: Its metadata.
        model: Name of the model.
        version: The version that was asked, if the path had one.
        results: One per case.
    """

    url: str
    server: dict[str, Any]
    model: str
    version: str | None
    results: tuple[Result, ...]

    def count(self, outcome: Outcome, level: str | None = None) -> int:
        """How many cases ended so."""
        return len(self.having(outcome, level))

    def having(self, outcome: Outcome, level: str | None = None) -> list[Result]:
        """The results that ended so."""
        return [result for result in self.results if result.outcome == outcome and level in {None, result.case.level}]

    @property
    def conforms(self) -> bool:
        """Whether no case of level must failed."""
        return not self.count("failed", "must")


class Session:
    """A server that was found, and its model.

    Args:
        options: What to test.

    Raises:
        UnusableError: the server does not answer, is something else, or its model is not known.
    """

    def __init__(self, options: Options) -> None:
        self.cases = _selected(options.cases)
        require_address(options.url)
        self._wire = _wire(options, options.url, options.sender)
        self._loading = None
        if options.loading_url is not None:
            require_address(options.loading_url)
            self._loading = _wire(options, options.loading_url, options.loading_sender)
        try:
            require_protocol(self._wire)
            model = options.model or only_model(self._wire)
            self.target = Target(
                self._wire, model, version=options.version, huge_bytes=options.huge_bytes, loading=self._loading
            )
            learn(self.target)
        except BaseException:
            self.close()
            raise
        self.everything: list[Exchange] = []

    def ask(self, case: Case) -> Result:
        """Run one case."""
        target = self.target
        wires = [wire for wire in (self._wire, self._loading) if wire is not None]
        for wire in wires:
            wire.exchanges.clear()
        target.said = self.everything
        outcome, detail = _outcome(case, target)
        exchanges = tuple(exchange for wire in wires for exchange in wire.exchanges)
        self.everything.extend(exchanges)
        asked = self._loading if self._loading is not None and self._loading.exchanges else self._wire
        return Result(case=case, outcome=outcome, detail=detail, exchanges=exchanges, url=asked.url)

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()
        if self._loading is not None:
            self._loading.close()


def run(options: Options, progress: Callable[[Case], None] | None = None) -> Report:
    """Run the cases.

    Args:
        options: What to test, and how.
        progress: Called with each case before it is run.

    Returns:
        What they found, in the order of the cases.

    Raises:
        UnusableError: the server cannot be tested.
    """
    session = Session(options)
    try:
        results = []
        for case in session.cases:
            if progress is not None:
                progress(case)
            results.append(session.ask(case))
        target = session.target
        return Report(
            url=options.url, server=target.server, model=target.model, version=target.version, results=tuple(results)
        )
    finally:
        session.close()


def _outcome(case: Case, target: Target) -> tuple[Outcome, str]:
    try:
        seen = case.check(target)
    except FailedError as error:
        return ("unclear" if case.level == "unclear" else "failed"), str(error)
    except UnclearError as error:
        return "unclear", str(error)
    except NotApplicableError as error:
        return "not applicable", str(error)
    return ("unclear", seen or "") if case.level == "unclear" else ("passed", "")


def _selected(patterns: Sequence[str]) -> list[Case]:
    cases = all_cases()
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(case.id, pattern) for case in cases):
            raise WrongOptionError(f"no case has an id like '{pattern}'; docs/conformance.md lists the ids")
    return [case for case in cases if not patterns or any(fnmatch.fnmatchcase(case.id, each) for each in patterns)]


def _wire(options: Options, url: str, sender: Sender | None) -> Wire:
    return Wire(
        url,
        headers=options.headers,
        timeout_seconds=options.timeout_seconds,
        sender=sender,
        connect=options.connect,
    )
