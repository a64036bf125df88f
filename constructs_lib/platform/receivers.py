"""Where a tenant's alerts go: the part `receiver` of `platform.yaml`. Secrets are named, never written."""

from typing import Annotated, Literal

from pydantic import Field

from constructs_lib.platform._section import Section
from constructs_lib.platform.validators import ObjectName

Text = Annotated[str, Field(min_length=1)]


class _Receiver(Section):
    secret_name: ObjectName
    """Name of a Secret in the tenant's namespace."""
    send_resolved: bool = True
    """Whether the end of an alert is told, too."""


class WebhookReceiver(_Receiver):
    """Posts alerts to an HTTP address."""

    type: Literal["webhook"]
    """The kind of receiver."""
    secret_key: Text = "url"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the address."""


class SlackReceiver(_Receiver):
    """Writes alerts into a Slack channel."""

    type: Literal["slack"]
    """The kind of receiver."""
    secret_key: Text = "url"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the incoming webhook's address."""
    channel: Text
    """Channel, with its `#`."""


class PagerDutyReceiver(_Receiver):
    """Opens incidents at PagerDuty."""

    type: Literal["pagerduty"]
    """The kind of receiver."""
    secret_key: Text = "routing-key"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the integration's routing key (Events API v2)."""


class EmailReceiver(_Receiver):
    """Sends alerts by e-mail."""

    type: Literal["email"]
    """The kind of receiver."""
    secret_key: Text = "password"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the password at the mail server."""
    to: Text
    """Address of the recipient."""
    sender: Text
    """Address of the sender; the user name at the mail server, too."""
    smarthost: Annotated[str, Field(pattern=r"^[^\s:]+:[0-9]+$")]
    """The mail server, as host:port."""


Receiver = Annotated[WebhookReceiver | SlackReceiver | PagerDutyReceiver | EmailReceiver, Field(discriminator="type")]
"""One of the four kinds; `type` says which."""
