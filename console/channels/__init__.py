"""Channels: messages to and from people outside by e-mail, SMS, call and chat.

A step asks for a message (`runs` makes its row); `sending` judges it when it is about to leave, hands it to a provider and lets the run go on;
`callbacks` takes what providers tell later, `inbound` what people answer, `opting_out` takes back consent. `outbox` shows all of it to people.
"""

from console.channels.outbox import Line, OutboxPage, OutboxQuery, by_id, find
from console.channels.sending import pick_up, send
from console.channels.telling import tell_left

__all__ = [
    "Line",
    "OutboxPage",
    "OutboxQuery",
    "addresses",
    "base",
    "by_id",
    "callbacks",
    "channel_settings",
    "find",
    "health",
    "mail_polling",
    "opting_out",
    "outbox",
    "pick_up",
    "providers",
    "sandbox",
    "send",
    "tell_left",
    "testing",
    "unsubscribing",
]
