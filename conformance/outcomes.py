"""How a check says that the server did not do what its case expects; a check that passes says nothing."""


class FailedError(Exception):
    """The server did something else than the case expects; the text says what."""


class UnclearError(Exception):
    """The specification does not say whether what the server did is right; the text says what it did."""


class NotApplicableError(Exception):
    """The case cannot be asked of this server or model; the text says why."""
