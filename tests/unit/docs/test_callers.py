"""The clients that docs/callers.md shows get an answer of a service that requires an API key."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference import api_keys
from inference.api_keys import ApiKey
from tests.models import write_tiny_model
from tests.paths import ROOT
from tests.service import Service, service

KEY = api_keys.new_key()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("callers")
    keys = folder / "keys"
    keys.mkdir()
    (keys / "shop").write_text(api_keys.entry_text([ApiKey(api_keys.digest_of(KEY.encode()))]))
    with service(write_tiny_model(folder / "model"), folder / "log", api_keys_dir=keys) as started:
        yield started


def example(language: str) -> str:
    """The only example in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "callers.md").read_text("utf-8"), re.DOTALL)
    return str(found)


@pytest.mark.parametrize(
    ("language", "head", "command"),
    [
        ("python", "url, key = {url!r}, {key!r}\n", [sys.executable, "-c"]),
        (
            "javascript",
            "const url = '{url}', key = '{key}';\n",
            [str(Path(sys.executable).with_name("node")), "--input-type=module", "--eval"],
        ),
    ],
)
def test_the_example_prints_a_prediction(running: Service, language: str, head: str, command: list[str]) -> None:
    program = head.format(url=running.url, key=KEY) + example(language)
    done = subprocess.run([*command, program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "'spam'" in done.stdout
    assert "confidence" in done.stdout


@pytest.mark.parametrize("header", ["Authorization: Bearer $KEY", "X-API-Key: $KEY"])
def test_the_curl_commands_send_a_header_that_is_accepted(running: Service, header: str) -> None:
    (line,) = [each for each in example("console").splitlines() if f'-H "{header}"' in each]
    body = re.search(r"-d '(.*)'$", line)
    assert body is not None
    head = (
        f"POST /predict HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\nContent-Length: {len(body[1])}\r\n\r\n"
    )
    ((status, _, answer),) = running.exchange((head.replace("$KEY", KEY) + body[1]).encode())
    assert (status, json.loads(answer)["prediction"]) == (200, "spam")
