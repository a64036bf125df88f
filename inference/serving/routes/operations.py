"""The probes and the metrics."""

from fastapi import FastAPI
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from inference import contract
from inference.errors import NotReadyError
from inference.serving import openapi
from inference.serving.openapi import OPERATIONS_TAG
from inference.serving.routes.operation import Operation, json_response
from inference.serving.schemas import Health
from inference.serving.service import Service


class OperationsRoutes:
    """Answers Kubernetes' probes and Prometheus' scrapes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to `app`."""
        path = contract.LIVENESS_PATH
        Operation("GET", path, OPERATIONS_TAG, "Liveness probe").add(
            app, self.liveness, openapi.responses("The process answers.", Health, path=path)
        )
        path = contract.READINESS_PATH
        Operation("GET", path, OPERATIONS_TAG, "Readiness probe").add(
            app, self.readiness, openapi.responses("The model is loaded.", Health, errors=(NotReadyError,), path=path)
        )
        Operation("GET", contract.METRICS_PATH, OPERATIONS_TAG, "Metrics").add(
            app, self.metrics, openapi.text_responses("Prometheus' text format, or OpenMetrics.", "text/plain")
        )

    async def liveness(self) -> Response:
        """GET /healthz."""
        return json_response(Health("ok"))

    async def readiness(self) -> Response:
        """GET /readyz."""
        why_not = self._service.why_not_ready
        if why_not:
            raise NotReadyError(why_not)
        return json_response(Health("ok"))

    async def metrics(self, request: Request) -> Response:
        """GET /metrics."""
        try:
            encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        except Exception:  # noqa: BLE001 - the library raises on malformed headers; they get the default format
            encoder, content_type = choose_encoder("")
        return Response(encoder(self._service.metrics.registry), headers={"content-type": content_type})
