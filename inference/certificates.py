"""Certificates of authorities as PEM: what `platform.yaml` and the service accept."""

import ssl


def check_certificates(pem: str) -> None:
    """Check that a text contains certificates.

    Raises:
        ValueError: it contains none, or one that cannot be read; the message is the reason.
    """
    try:
        ssl.create_default_context(cadata=pem or "\n")  # an empty text would be ignored
    except ssl.SSLError as error:
        raise ValueError(error.reason or "no certificate") from error
