"""Requests to the API server, as the audit takes them."""

from typing import Any

from audit.model.permissions import Request


def request_of(review: dict[str, Any]) -> Request:
    """The request of `resourceAttributes` or `nonResourceAttributes` of a SubjectAccessReview."""
    return Request(**(review.get("resourceAttributes") or review["nonResourceAttributes"]))
