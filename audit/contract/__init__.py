"""What is meant to be possible between tenants, and whether manifests keep to it.

`document` is the contract as a typed file, `check` compares an input with it, `waivers` leaves out what is known, and
`attestation` writes what was found as an in-toto statement.
"""

from audit.contract.check import contract_findings
from audit.contract.document import Contract
from audit.contract.loading import load, loaded
from audit.contract.network import connects

__all__ = ["Contract", "connects", "contract_findings", "load", "loaded"]
