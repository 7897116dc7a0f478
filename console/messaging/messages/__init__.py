"""Messages to and from people outside: judged, sent through a channel, and answered.

A step asks for a message (`runs` makes its row). `send` is the job that judges it when it is about to leave, hands it to a provider of
`console/messaging/channels` and lets the run go on; `pick_up` and `tell_left` are the worker's duties for what is due or was left by a crash.
`contact_trials` and `reachable` say before whom the messages of a workflow would reach, `mapping_trial` whom a collection's records are. `callbacks` takes what providers tell later, `mail_polling` reads the mailbox that people answer to; `opting_out` and `unsubscribing` take back consent.
`find` and `by_id` show the outbox to one reader, `inbound` sorts what unknown senders wrote, `counted_over_all` what became of the messages of workflows, `count_unsent` how many did not leave, `unsent` why those of a run did not leave, `failed_afterwards` which left and failed later. `channel_settings`, `messages_to_oneself` and `outside_addresses` are for the pages of the channels, `kept_rules`, `address_consents` and `held_messages` for that of hours, caps and leads, `of_a_person` for erasing somebody. `single_messages` asks for one that no run sends.
"""

from console.messaging.messages.message_counts import (
    count_unsent,
    over_all as counted_over_all,
)
from console.messaging.messages.message_reasons import unsent
from console.messaging.messages.message_results import tell_left
from console.messaging.messages.outbox import Line, OutboxQuery, by_id, failed_afterwards, find
from console.messaging.messages.sending import pick_up, send

OPEN_MODULES = frozenset(
    {
        "address_consents",
        "callbacks",
        "channel_settings",
        "contact_trials",
        "delivery_gate",
        "file_opt_outs",
        "held_messages",
        "inbound",
        "mail_polling",
        "mapping_trial",
        "message_reasons",
        "noted_consents",
        "opting_out",
        "outbox",
        "outside_addresses",
        "person_messages",
        "reachable",
        "recipients",
        "rules",
        "single_messages",
        "stop_requests",
        "test_messages",
        "unsubscribing",
    }
)
