"""What a check found, as an in-toto statement (https://in-toto.io/Statement/v1), for a workflow to sign."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from audit.contract.waivers import Known
from audit.model.finding import State

PREDICATE: Final = "https://tenantry.dev/attestations/isolation/v1"


def statement(files: Iterable[Path], contract: str, known: Known, verdict: str, version: str) -> str:
    """A statement about every file that was read.

    Args:
        files: The files.
        contract: The contract's text.
        known: The findings, and how many were left out.
        verdict: holds, violated or undecided.
        version: Version of the program.
    """
    subjects = [{"name": str(each), "digest": {"sha256": _digest(each.read_bytes())}} for each in files]
    numbers = Counter(each.state for each in known.rest)
    predicate = {
        "tool": {"name": "tenantry audit check", "version": version},
        "contract": {"digest": {"sha256": _digest(contract.encode())}},
        "verdict": verdict,
        "findings": {state: numbers[state] for state in State},
        "leftOut": {"waived": known.waived, "inBaseline": known.in_baseline},
        "ids": sorted(each.id for each in known.rest if each.state is not State.WARNING),
    }
    whole = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return json.dumps(whole, indent=2, sort_keys=True) + "\n"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
