"""The addresses that the service listens on, in network namespaces with IPv6 alone, with IPv4 alone, and with both."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from inference.serving.http.server import listen
from inference.settings import Settings
from tests.models import write_tiny_model
from tests.service import Service, poll, service

ASK: Final = """if True:
    import sys
    import httpx
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.get(sys.argv[1] + path, trust_env=False).status_code == 200, path
    print(httpx.post(sys.argv[1] + "/predict", json={"text": "hello"}, trust_env=False).json())
"""
SETUPS: Final = {
    "IPv6 only": "ip -4 address flush dev lo",
    "IPv4 only": "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
    "both": "true",
}


@pytest.mark.parametrize(
    ("families", "address"),
    [("IPv6 only", "[::1]"), ("IPv4 only", "127.0.0.1"), ("both", "[::1]"), ("both", "127.0.0.1")],
)
def test_it_answers_with_the_families_that_the_system_has(tmp_path: Path, families: str, address: str) -> None:
    """Probes, metrics and predictions, with the address that the settings have by default."""
    if not can_unshare_network():
        pytest.skip("this user may not make a network namespace")
    start = f"ip link set lo up && {SETUPS[families]} && exec {sys.executable} -m inference"
    host = Settings.model_fields["host"].default
    with service(
        write_tiny_model(tmp_path / "model"),
        tmp_path / "log",
        wait="",
        program=("unshare", "--net", "sh", "-c", start),
        host=host,
    ) as found:
        assert poll(lambda: "model loaded" in found.log.read_text()), found.log.read_text()
        inside = ("nsenter", f"--net=/proc/{found.process.pid}/ns/net", sys.executable, "-c", ASK)
        asked = subprocess.run(
            [*inside, f"http://{address}:{_port(found)}"], capture_output=True, text=True, check=False
        )
        assert asked.returncode == 0, asked.stderr
        assert "prediction" in asked.stdout


def test_it_listens_on_ipv4_where_the_kernel_has_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without IPv6 cannot create such a socket at all."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listen("::", 0, 1) as found:
        assert found.family is socket.AF_INET
        assert found.getsockname()[0] == "0.0.0.0"  # noqa: S104 - what a pod listens on


def _port(found: Service) -> int:
    (line,) = [each for each in found.lines() if each["event"] == "serving"]
    return int(line["port"])


def can_unshare_network() -> bool:
    if shutil.which("unshare") is None or shutil.which("nsenter") is None or shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
