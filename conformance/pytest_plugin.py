"""The cases as pytest tests: `pytest --oip-url http://127.0.0.1:8000 --oip-model spam`.

Without `--oip-url` the plugin does nothing. With it, and without files on the command line, only the cases run.
A must that failed fails. A should that failed is an expected failure, unless `--oip-strict` is given; unclear and not
applicable cases are skipped, with the reason.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.case import Case
    from conformance.runner import Result, Session


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("oip", "Open Inference Protocol conformance")
    group.addoption("--oip-url", metavar="URL", help="address of the server under test, without /v2")
    group.addoption("--oip-model", metavar="NAME", help="model to ask; required if the server does not list its models")
    group.addoption("--oip-version", metavar="V", help="version of the model to ask")
    group.addoption("--oip-loading-url", metavar="URL", help="address of a server that has not loaded its model")
    group.addoption("--oip-case", metavar="PATTERN", action="append", default=[], help="ids of cases, as in 'id.*'")
    group.addoption("--oip-strict", action="store_true", help="let a should that failed fail")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, so that `-m must` works."""
    for level in ("must", "should", "unclear"):
        config.addinivalue_line("markers", f"{level}: a conformance case of this level (--oip-url)")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Pass over the project's own tests, where no files are named."""
    return True if _only_cases(config) else None


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each case."""
    url = config.getoption("--oip-url")
    if url:
        collector = _Server.from_parent(session, name="oip", path=Path(config.rootpath), nodeid="oip")
        items.extend(collector.collect())


def _only_cases(config: pytest.Config) -> bool:
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return bool(config.getoption("--oip-url")) and not named


class _Server(pytest.Collector):
    """The server under test; its connections are open while its cases run."""

    tested: "Session"

    def collect(self) -> Iterator[pytest.Item]:
        # httpx is imported only where a server is tested
        from conformance.discovery import UnusableError  # noqa: PLC0415
        from conformance.runner import Options, Session  # noqa: PLC0415

        option = self.config.getoption
        try:
            self.tested = Session(
                Options(
                    url=option("--oip-url"),
                    model=option("--oip-model"),
                    version=option("--oip-version"),
                    loading_url=option("--oip-loading-url"),
                    cases=tuple(option("--oip-case")),
                )
            )
        except UnusableError as error:
            raise pytest.UsageError(str(error)) from error
        self.config.add_cleanup(self.tested.close)
        for case in self.tested.cases:
            yield _CaseItem.from_parent(self, name=case.id, case=case)


class _CaseFailedError(Exception):
    """A case failed; its result makes the report."""

    def __init__(self, result: "Result") -> None:
        super().__init__(result.detail)
        self.result = result


class _CaseItem(pytest.Item):
    """A case as a test."""

    def __init__(self, *, case: "Case", **members: Any) -> None:
        super().__init__(**members)
        self.case = case
        self.add_marker(case.level)

    def runtest(self) -> None:
        assert isinstance(self.parent, _Server)  # noqa: S101 - for the type checker
        result = self.parent.tested.ask(self.case)
        if result.outcome in {"unclear", "not applicable"}:
            pytest.skip(f"{result.outcome}: {result.detail}")
        if result.outcome == "failed":
            if self.case.level == "should" and not self.config.getoption("--oip-strict"):
                pytest.xfail(f"should: {result.detail}")
            raise _CaseFailedError(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from conformance.reports.text import failure  # noqa: PLC0415 - httpx only where it is used

        if isinstance(excinfo.value, _CaseFailedError):
            return failure(excinfo.value.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.case.id} ({self.case.level}): {self.case.says}"
