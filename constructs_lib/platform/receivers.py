"""Receivers of a tenant's alerts: the part `receiver` of `platform.yaml`. Secrets are named, never written."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from constructs_lib.platform._section import Section, refuse
from constructs_lib.platform.validators import ObjectName

Text = Annotated[str, Field(min_length=1)]


class _Notifying(Section):
    send_resolved: bool = True
    """Whether to notify when an alert is resolved."""


class _Receiver(_Notifying):
    secret_name: ObjectName
    """Name of a Secret in the tenant's namespace."""


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


class TeamsReceiver(_Receiver):
    """Sends alerts to a channel of Microsoft Teams, through a workflow."""

    type: Literal["msteams"]
    """The kind of receiver."""
    secret_key: Text = "url"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the URL of the workflow. Alertmanager must be version 0.28 or newer."""


class OpsgenieReceiver(_Receiver):
    """Opens alerts in Opsgenie."""

    type: Literal["opsgenie"]
    """The kind of receiver."""
    secret_key: Text = "api-key"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the integration's API key."""
    api_url: Annotated[str, Field(pattern=r"^https://[^\s@]+$")] | None = None
    """Address of the API, such as https://api.eu.opsgenie.com; Alertmanager's own default if absent."""


class EmailReceiver(_Notifying):
    """Sends alerts by e-mail."""

    type: Literal["email"]
    """The kind of receiver."""
    secret_name: ObjectName | None = None
    """Name of a Secret in the tenant's namespace with the password; there is no login without it."""
    secret_key: Text = "password"  # noqa: S105 - a key of a Secret, not its value
    """Key in the Secret that holds the password for the mail server."""
    to: Text
    """Address of the recipient."""
    sender: Text
    """Address of the sender; also the user name for the mail server."""
    smarthost: Annotated[str, Field(pattern=r"^[^\s:]+:[0-9]+$")]
    """Mail server, as host:port."""
    require_tls: bool = Field(default=True, strict=True)
    """Whether the connection must be encrypted; false for a relay in the cluster that does not offer TLS."""

    @model_validator(mode="after")
    def _password_is_encrypted(self) -> Self:
        if self.secret_name is not None and not self.require_tls:
            rule = "must be true with a password, which would be sent in clear text"
            refuse(rule, "remove 'requireTls' or 'secretName'", at=("requireTls",))
        return self


Receiver = Annotated[
    WebhookReceiver | SlackReceiver | PagerDutyReceiver | TeamsReceiver | OpsgenieReceiver | EmailReceiver,
    Field(discriminator="type"),
]
"""One of the kinds of receiver, selected by `type`."""
