"""What a check found, as an in-toto statement (https://in-toto.io/Statement/v1), for a workflow to sign."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from audit.model.finding import Finding, State
from audit.reading.sources import Text

PREDICATE: Final = "https://tenantry.dev/attestations/isolation/v1"


def statement(texts: Iterable[Text], contract: str, found: Sequence[Finding], verdict: str, version: str) -> str:
    """A statement about every file that was read.

    Args:
        texts: The files.
        contract: The contract's text.
        found: The findings.
        verdict: holds, violated or undecided.
        version: Version of the program.
    """
    subjects = [{"name": each.file, "digest": {"sha256": _digest(each.content)}} for each in texts]
    numbers = Counter(each.state for each in found)
    predicate = {
        "tool": {"name": "tenantry audit check", "version": version},
        "contract": {"digest": {"sha256": _digest(contract)}},
        "verdict": verdict,
        "findings": {state: numbers[state] for state in State},
        "ids": sorted(each.id for each in found if each.state is not State.WARNING),
    }
    whole = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return json.dumps(whole, indent=2, sort_keys=True) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
