"""Outgoing webhooks: events of the log, sent to outside addresses in the order of the log. Only what a named person may read is sent."""

from console.outgoing_webhooks.delivering import deliver, pick_up
from console.outgoing_webhooks.delivery_list import Delivered, deliveries_of, delivery, erase, forget, redeliver, send_test
from console.outgoing_webhooks.event_types import EVERY, TEST, plain
from console.outgoing_webhooks.subscribing import (
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
from console.outgoing_webhooks.subscription_rows import Subscription
from console.outgoing_webhooks.taking_in import take_in
