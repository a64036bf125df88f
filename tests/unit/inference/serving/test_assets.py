"""The static files, and where those of the API viewer come from."""

import gzip
from pathlib import Path

import pytest

from inference.errors import NotFoundError
from inference.serving import assets
from inference.serving.assets import Assets

VIEWER = Path(assets.__file__).parent / "viewer"
LICENCES = {
    "swagger-ui.LICENSE.txt": "LICENSE",
    "swagger-ui.NOTICE.txt": "NOTICE",
    "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
}


@pytest.fixture
def package(pytestconfig: pytest.Config) -> Path:
    """The package as package-lock.json pins it and `npm ci` installed it."""
    return pytestconfig.rootpath / "node_modules/swagger-ui-dist"


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_viewer_is_the_locked_package(package: Path, name: str) -> None:
    assert gzip.decompress((VIEWER / f"{name}.gz").read_bytes()) == (package / name).read_bytes()


@pytest.mark.parametrize(("name", "original"), LICENCES.items())
def test_viewer_has_its_licences(package: Path, name: str, original: str) -> None:
    assert (VIEWER / name).read_bytes() == (package / original).read_bytes()


def test_viewer_has_no_other_files() -> None:
    own = {"index.html", "viewer.js"}
    assert {file.name for file in VIEWER.iterdir()} == {"swagger-ui-bundle.js.gz", "swagger-ui.css.gz", *LICENCES, *own}


def test_sends_a_compressed_file_under_its_own_name_and_type() -> None:
    response = Assets(VIEWER).response("swagger-ui.css")
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert b".swagger-ui" in gzip.decompress(response.body)


def test_policy_allows_the_services_own_files_only() -> None:
    """No inline script or style, and no other host, also in an answer that sends the client to its cache."""
    files = Assets(VIEWER)
    first = files.response("index.html")
    for response in (first, files.response("index.html", first.headers["etag"])):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
        assert "unsafe" not in policy
        assert "http" not in policy


@pytest.mark.parametrize("name", ["nothing.js", "swagger-ui.css.gz", "../page/page.js", "swagger-ui.LICENSE.txt"])
def test_refuses_other_names(name: str) -> None:
    with pytest.raises(NotFoundError):
        Assets(VIEWER).response(name)
