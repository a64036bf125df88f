"""The part of Prometheus's HTTP API that `tenantry usage` needs."""

from typing import Any, Final

import httpx

from tenantry.cluster.monitoring import without_password
from tenantry.errors import CommandError, InputError

TIMEOUT_SECONDS: Final = 150.0
"""Longer than the two minutes that Prometheus itself gives a query."""
MAX_POINTS: Final = 10_000
"""Points of a series in one range query; Prometheus refuses more than 11,000."""
Labels = frozenset[tuple[str, str]]
"""Labels of a series, without the metric's name."""
Points = dict[Labels, dict[float, float]]
"""Values by time, in seconds since the epoch, of each series."""


class Prometheus:
    """One Prometheus."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._shown = without_password(self.address)

    def instant(self, query: str, at: float) -> dict[Labels, float]:
        """The value of each series at a time.

        Raises:
            InputError: The address is not a URL.
            CommandError: Prometheus does not answer, or refuses.
        """
        return {_labels(each): float(each["value"][1]) for each in self._ask("query", query=query, time=at)}

    def samples(self, selector: str, seconds: int, at: float) -> Points:
        """The raw samples of each series in the seconds before a time. Errors as for `instant`."""
        found = self._ask("query", query=f"{selector}[{seconds}s]", time=at)
        return {_labels(each): _points(each) for each in found}

    def range(self, query: str, start: float, end: float, step: int) -> Points:
        """The values at start, start + step and so on, up to end. Errors as for `instant`."""
        found: Points = {}
        while start <= end:
            until = min(end, start + (MAX_POINTS - 1) * step)
            for each in self._ask("query_range", query=query, start=start, end=until, step=step):
                found.setdefault(_labels(each), {}).update(_points(each))
            start += MAX_POINTS * step
        return found

    def label_values(self, label: str, selector: str, start: float, end: float) -> list[str]:
        """The values of a label in the series of a time range. Errors as for `instant`."""
        values: list[str] = self._get(f"label/{label}/values", {"match[]": selector, "start": start, "end": end})
        return values

    def _ask(self, path: str, **form: str | float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get(path, form)["result"]
        return found

    def _get(self, path: str, form: dict[str, str | float]) -> Any:
        try:
            answer = httpx.get(f"{self.address}/api/v1/{path}", params=form, timeout=TIMEOUT_SECONDS, trust_env=False)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:  # of the host's name
            raise InputError(f"--prometheus {self._shown}: write http://HOST:PORT ({error})") from error
        except httpx.HTTPError as error:
            raise CommandError(
                f"Prometheus does not answer on {self._shown} ({error or type(error).__name__}): name it with"
                " --prometheus URL, or reach the cluster's with --port-forward"
            ) from error
        try:
            content = answer.json()
        except ValueError as error:
            raise CommandError(
                f"{self._shown} does not answer like Prometheus (status {answer.status_code}, no JSON); check"
                " --prometheus"
            ) from error
        if not isinstance(content, dict) or content.get("status") != "success":
            reason = content.get("error") if isinstance(content, dict) else ""
            raise CommandError(f"Prometheus refused a query: {reason or answer.status_code}")
        return content["data"]


def _labels(series: dict[str, Any]) -> Labels:
    return frozenset((name, value) for name, value in series["metric"].items() if name != "__name__")


def _points(series: dict[str, Any]) -> dict[float, float]:
    return {float(at): float(value) for at, value in series["values"]}
