"""What follows from each sentence of the API text, asked of every engine."""

import pytest

from tests.audit.engines import ENGINES
from tests.audit.sentences import ALL
from tests.audit.sentences.sentence import Sentence


@pytest.mark.parametrize("sentence", [pytest.param(each, id=each.text) for each in ALL])
@pytest.mark.parametrize("name", ENGINES)
def test_verdicts_follow_from_the_text(name: str, sentence: Sentence) -> None:
    engine = ENGINES[name](sentence.objects, sentence.assumptions)
    said = {}
    for ask in sentence.asks:
        source, destination, port, protocol = ask.split()
        said[ask] = engine.verdict(source, destination, int(port), protocol)
    assert said == sentence.asks


def test_every_sentence_stands_once() -> None:
    assert len({each.text for each in ALL}) == len(ALL)
