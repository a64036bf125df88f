"""The grammar of a model's address."""

import pytest

from inference.address import ModelUri

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize("digest", [None, DIGEST])
@pytest.mark.parametrize(
    ("location", "bucket", "path", "tenant", "name"),
    [
        ("s3://models/tenant-a/spam", "models", "tenant-a/spam", "tenant-a", "spam"),
        ("s3://other.bucket/t/spam_v2.1", "other.bucket", "t/spam_v2.1", "t", "spam_v2.1"),
        ("file:build/models/spam", "", "build/models/spam", "", "spam"),
        ("file:/srv/spam", "", "/srv/spam", "", "spam"),
    ],
)
def test_an_address_reads_back_as_it_was_written(
    location: str, bucket: str, path: str, tenant: str, name: str, digest: str | None
) -> None:
    text = f"{location}@sha256:{digest}" if digest else location
    uri = ModelUri.parse(text)
    assert (uri.bucket, uri.path, uri.tenant, uri.name, uri.digest) == (bucket, path, tenant, name, digest)
    assert str(uri) == text
    assert ModelUri.parse(str(uri)) == uri


@pytest.mark.parametrize(
    ("text", "path"),
    [("build/models/spam", "build/models/spam"), ("/srv/spam", "/srv/spam"), ("file:///srv/a%20b", "/srv/a b")],
)
def test_a_plain_path_and_a_file_url_are_folders(text: str, path: str) -> None:
    uri = ModelUri.parse(text)
    assert not uri.bucket
    assert uri.path == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not name a folder"),
        ("file:", "does not name a folder"),
        ("s3://models", "its tenant is ''"),
        ("s3://models/tenant-a", "its name is ''"),
        ("s3://models/tenant-a/", "its name is ''"),
        ("s3://models/tenant-a/spam/deeper", "its name is 'spam/deeper'"),
        ("s3://models/../spam", "its tenant is '..'"),
        ("s3://models/Tenant/spam", "its tenant is 'Tenant'"),
        ("s3://M/tenant-a/spam", "its bucket is 'M'"),
        ("https://models/tenant-a/spam", "'https:' is not a supported scheme"),
        ("s3://models/tenant-a/spam@sha256:abc", "64 lower-case hex digits, not 'abc'"),
        ("s3://models/tenant-a/spam@sha256:" + DIGEST.upper(), "64 lower-case hex digits"),
        ("s3://models/tenant-a/spam@md5:abc", "its name is 'spam@md5:abc'"),
        ("file:/models\x00", "printable characters only"),
        ("file:/models%00", "does not name a folder"),
        ("/models\nspam", "printable characters only"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^model '") as caught:
        ModelUri.parse(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pinning_keeps_the_place() -> None:
    uri = ModelUri.parse("s3://models/tenant-a/spam")
    assert str(uri.at(DIGEST)) == f"s3://models/tenant-a/spam@sha256:{DIGEST}"
    with pytest.raises(ValueError, match="64 lower-case hex digits, not 'abc'"):
        uri.at("abc")
