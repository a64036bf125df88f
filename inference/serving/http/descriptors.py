"""File descriptors: every connection needs one, and without a free one no probe can be answered."""

import resource
from typing import Final

RESERVED: Final = 100
"""Descriptors for everything else: the listener, the event loop, the model store, the log, and probes."""


def connections_that_fit(wanted: int) -> int:
    """Raise the process's limit of open files as far as necessary and possible.

    Args:
        wanted: The number of connections that the settings allow.

    Returns:
        The number of connections for which there are descriptors; at most `wanted`, at least 1.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    required = wanted + RESERVED
    if soft == resource.RLIM_INFINITY or soft >= required:
        return wanted
    soft = required if hard == resource.RLIM_INFINITY else min(required, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(wanted, soft - RESERVED), 1)
