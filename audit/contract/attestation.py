"""What a check found, as an in-toto statement (https://in-toto.io/Statement/v1), for a workflow to sign."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

from audit.contract.waivers import Known
from audit.model.finding import State

PREDICATE: Final = "https://tenantry.dev/attestations/isolation/v1"


def statement(files: Iterable[tuple[str, str]], contract: str, known: Known, verdict: str, version: str) -> str:
    """A statement about every file that was read, with the bytes that the check saw.

    Args:
        files: Name and digest (SHA-256, hexadecimal) of each.
        contract: The contract's text.
        known: The findings, and how many were left out.
        verdict: holds, violated or undecided.
        version: Version of the program.
    """
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in files]
    numbers = Counter(each.state for each in known.rest)
    predicate = {
        "tool": {"name": "tenantry audit check", "version": version},
        "contract": {"digest": {"sha256": hashlib.sha256(contract.encode()).hexdigest()}},
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
