"""Sentences of the API text, each with a small cluster and what follows from the sentence."""

from tests.audit.sentences.admin_policy import SENTENCES as ADMIN_POLICY
from tests.audit.sentences.known_mistakes import SENTENCES as KNOWN_MISTAKES
from tests.audit.sentences.network_policy import SENTENCES as NETWORK_POLICY
from tests.audit.sentences.undefined import SENTENCES as UNDEFINED

ALL = [*NETWORK_POLICY, *ADMIN_POLICY, *UNDEFINED, *KNOWN_MISTAKES]

__all__ = ["ADMIN_POLICY", "ALL", "KNOWN_MISTAKES", "NETWORK_POLICY", "UNDEFINED"]
