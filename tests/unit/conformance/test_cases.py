"""Every case passes on a server that conforms, and catches a server that differs in what the case asks."""

from functools import cache

import pytest

from conformance.case import Case
from conformance.cases import all_cases
from conformance.runner import Report, run
from tests.unit.conformance.mutants import CASES, LISTED, mutant_of
from tests.unit.conformance.protocol_server import ProtocolServer
from tests.unit.conformance.serving import options


@cache
def conforming() -> Report:
    """What the cases find on the conforming server."""
    return run(options(ProtocolServer(), ProtocolServer(loading=True)))


def test_the_conforming_server_passes_every_case() -> None:
    """Nothing fails, and nothing is left out as not applicable."""
    report = conforming()
    assert [result.case.id for result in report.results if result.outcome not in {"passed", "unclear"}] == []
    assert all(result.outcome == "unclear" for result in report.results if result.case.level == "unclear")


def test_there_are_cases_enough() -> None:
    """The suite has the size that it promises, and each id stands for one case."""
    assert len(CASES) == len(all_cases()) >= 80


def test_every_listed_mutant_has_a_case() -> None:
    """A mutant of a case that was renamed would never be asked."""
    assert LISTED - CASES.keys() == set()


@pytest.mark.parametrize("name", CASES)
def test_a_mutant_is_caught_by_its_case_alone(name: str) -> None:
    """A must or should fails and no other does; an unclear case reports another behaviour and nothing fails."""
    mutant = mutant_of(name)
    report = run(options(mutant.server, mutant.loading, most=mutant.most))
    failed = [result.case.id for result in report.having("failed")]
    if CASES[name].level != "unclear":
        assert failed == [name]
        return
    assert failed == []
    details = [{result.case.id: result.detail for result in each.results} for each in (report, conforming())]
    assert details[0][name] != details[1][name]


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_a_case_says_what_it_checks(case: Case) -> None:
    """Each case has a sentence, where it stands, and what is expected."""
    assert case.says.endswith(".")
    assert case.expects.endswith(".")
    assert case.source.document
    assert case.source.section
    assert case.source.url.startswith("https://")
