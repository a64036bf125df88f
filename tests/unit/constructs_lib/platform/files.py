"""A platform.yaml with some tenants, and what is wrong with it."""

import textwrap
from pathlib import Path

import pytest

from constructs_lib.errors import Mistake
from constructs_lib.platform import Platform, PlatformError

HEAD = """\
apiVersion: tenantry.dev/v1alpha1
platform:
  image: registry.example/service:1.0
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "platform.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def tenants(*entries: str) -> str:
    """A file with these tenants, each given as the text after its dash."""
    return HEAD + "tenants:\n" + "".join(f"  - {textwrap.indent(entry, '    ').strip()}\n" for entry in entries)


def tenant(more: str = "", name: str = "tenant-a") -> str:
    """A file with one valid tenant, plus `more`."""
    return tenants(f"name: {name}\nmodel: s3://models/{name}/spam\n{more}")


def mistakes(folder: Path, text: str) -> tuple[Mistake, ...]:
    with pytest.raises(PlatformError) as caught:
        Platform.load(write(folder, text))
    return caught.value.mistakes


def the_mistake(folder: Path, text: str) -> Mistake:
    found = mistakes(folder, text)
    assert len(found) == 1, found
    return found[0]


def platform_part(part: str, more: str = "") -> str:
    """A file with one tenant and a line in its platform part."""
    return tenant(more).replace("tenants:", f"  {part}\ntenants:")
