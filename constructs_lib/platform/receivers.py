"""Receivers of a tenant's alerts: the part `receiver` of `platform.yaml`. Secrets are named, never written."""

from typing import Annotated, Literal

from pydantic import Field

from constructs_lib.platform._section import Section
from constructs_lib.platform.validators import ObjectName

Text = Annotated[str, Field(min_length=1)]


class _Receiver(Section):
    secret_name: ObjectName
    """Name of a Secret in the tenant's namespace."""
    send_resolved: bool = True
    """Whether to notify when an alert is resolved."""


class WebhookReceiver(_Receiver):
    """Sends alerts to a webhook."""

    type: Literal["webhook"]
    """The kind of receiver."""
    secret_key: Text = "url"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the webhook's URL."""


class SlackReceiver(_Receiver):
    """Sends alerts to a Slack channel."""

    type: Literal["slack"]
    """The kind of receiver."""
    secret_key: Text = "url"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the URL of the incoming webhook."""
    channel: Text
    """Name of the channel, with `#`."""


class PagerDutyReceiver(_Receiver):
    """Opens incidents in PagerDuty."""

    type: Literal["pagerduty"]
    """The kind of receiver."""
    secret_key: Text = "routing-key"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the integration's routing key (Events API v2)."""


class EmailReceiver(_Receiver):
    """Sends alerts by e-mail."""

    type: Literal["email"]
    """The kind of receiver."""
    secret_key: Text = "password"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the password for the mail server."""
    to: Text
    """Address of the recipient."""
    sender: Text
    """Address of the sender; also the user name for the mail server."""
    smarthost: Annotated[str, Field(pattern=r"^[^\s:]+:[0-9]+$")]
    """Mail server, as host:port."""


Receiver = Annotated[WebhookReceiver | SlackReceiver | PagerDutyReceiver | EmailReceiver, Field(discriminator="type")]
"""One of the four kinds of receiver, selected by `type`."""
