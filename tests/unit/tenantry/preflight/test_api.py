"""How `tenantry preflight` reads a cluster."""

from typing import Any

import pytest

from tenantry.errors import CommandError
from tenantry.preflight.api import Api
from tenantry.preflight.check import Inspected
from tenantry.preflight.inspection import inspect
from tests.recorded_cluster import RecordedCluster, recorded
from tests.unit.tenantry.preflight.checks.difference import platform


def test_a_server_that_stops_answering_is_an_error_and_not_a_finding() -> None:
    class Silent(RecordedCluster):
        def _get(self, address: str) -> Any:
            done = super()._get(address)
            done.returncode, done.stderr = 1, "Unable to connect to the server: dial tcp 192.0.2.1:443: i/o timeout"
            return done

    inspected = Inspected(api=Api(Silent(recorded("gke"))), platform=platform({}, {}))
    with pytest.raises(CommandError, match="Unable to connect"):
        inspect(inspected)


def test_lists_are_read_to_their_last_page() -> None:
    class Paged(RecordedCluster):
        def _get(self, address: str) -> Any:
            if address.startswith("/api/v1/nodes"):
                page = "continue=more" in address
                metadata = {} if page else {"continue": "more"}
                self.document["get"]["/api/v1/nodes"] = {"items": [{"page": page}], "metadata": metadata}
            return super()._get(address)

    assert Api(Paged(recorded("gke"))).items("/api/v1/nodes") == [{"page": False}, {"page": True}]
