"""Asks an ASGI application without a server between."""

import asyncio
from typing import Any

import httpx


class AsgiClient:
    """A client of `app`; each request runs on an event loop of its own, and the application's lifespan does not."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET `path`; `options` are httpx's."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST to `path`; `options` are httpx's."""
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any method; `options` are httpx's."""

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://service") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())
