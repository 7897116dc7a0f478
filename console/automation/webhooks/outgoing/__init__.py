"""Outgoing webhooks: events of the log, sent to outside addresses in the order of the log. Only what a named person may read is sent."""

from console.automation.webhooks.outgoing.delivering import deliver, pick_up
from console.automation.webhooks.outgoing.delivery_list import (
    Delivered,
    deliveries_of,
    delivery,
    erase,
    forget,
    redeliver,
    send_test,
)
from console.automation.webhooks.outgoing.event_intake import take_in
from console.automation.webhooks.outgoing.event_types import EVERY, TEST, event_type_of
from console.automation.webhooks.outgoing.subscribing import (
    Wanted,
    add,
    change,
    every,
    name_of,
    remove,
    renew_secret,
    run_as_of,
    speaks_for,
    subscription,
    terms,
)
from console.automation.webhooks.outgoing.subscription_rows import Subscription
