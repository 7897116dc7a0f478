"""What calls of outgoing webhooks answer."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Moment, Shape


class WebhookOwner(Shape):
    """Whose rights decide what is sent."""

    id: str
    name: str


class OutgoingWebhook(Shape):
    """An address outside to which events of the log are sent."""

    id: str
    url: str
    events: list[str] = Field(description="Names of events, `*` alone for all")
    filter: str | None = Field(
        description="An expression over `event`; what it does not let pass is not sent"
    )
    enabled: bool
    status: Literal["on", "off", "stopped"] = Field(description="stopped: by itself; `problem` says why")
    problem: str | None
    acts_for: WebhookOwner
    run_as: str | None = Field(description="Address of the service account that it acts for")
    made_at: Moment
    pos: int = Field(description="The place up to which the log was read for it")
    secret: str | None = Field(
        description="That deliveries are signed with; shown once, never to a repeated request"
    )


class WebhookAnswer(Shape):
    """What the other side said to the newest try."""

    status: int | None = Field(description="None where no answer came")
    error: str | None
    body: str | None = Field(description="Its beginning, for whoever the webhook acts for")


class WebhookTry(WebhookAnswer):
    """One try of a delivery, and what the other side said to it."""

    at: Moment


class OutgoingDelivery(Shape):
    """One event for one webhook."""

    id: str = Field(description="Also the header webhook-id: the same for every try")
    pos: int | None = Field(description="The place of the event in the log; none for a test")
    event: str
    status: Literal["waiting", "delivered", "failed", "withheld"] = Field(
        description="withheld: whom the webhook acts for may not read it any more"
    )
    tries: int
    made_at: Moment
    next_at: Moment | None
    done_at: Moment | None
    response: WebhookAnswer | None
    attempts: list[WebhookTry] = Field(description="Every try, oldest first")
