"""Kinds of events about messages to and from people outside, and about what they agreed to."""

from console.core.event_kind import Kind

MESSAGES = (
    Kind(
        "message_sent",
        "record",
        "A message to somebody outside left, or a call was begun.",
        ("message_id", "run", "channel", "provider", "sandbox", "number"),
        ("basis", "title", "titled"),
    ),
    Kind(
        "message_skipped",
        "record",
        "A message did not leave, and is not tried again.",
        ("message_id", "run", "channel", "code"),
        ("reason", "said", "title", "titled"),
    ),
    Kind(
        "message_failed",
        "record",
        "A message could not be sent, or did not arrive.",
        ("message_id", "run", "channel", "code"),
        ("reason", "said", "title", "titled"),
    ),
    Kind(
        "message_arrived",
        "record",
        "A message arrived of which it was told before that it had not.",
        ("message_id", "run", "channel"),
        ("title", "titled"),
    ),
    Kind(
        "message_opened",
        "record",
        "An e-mail was opened for the first time, as far as its picture was fetched.",
        ("message_id", "run", "channel"),
    ),
    Kind(
        "message_received",
        "record",
        "A message came from somebody outside.",
        ("message_id", "channel", "stop", "known", "answered_runs"),
        ("title", "titled"),
    ),
    Kind(
        "message_outcome_chosen",
        "record",
        "A person chose in the sandbox how a message ended.",
        ("message_id", "run", "channel", "outcome"),
        ("label", "title", "titled"),
    ),
    Kind(
        "message_requested",
        "record",
        "A person or a program asked for a single message to somebody outside, which no run sends.",
        ("message_id", "channel", "expires_s"),
        ("content", "title", "titled"),
    ),
    Kind(
        "messages_put_aside",
        "configuration",
        "A person put messages of unknown senders aside.",
        ("messages",),
    ),
    Kind(
        "call_ended",
        "record",
        "A call to somebody outside ended.",
        ("message_id", "run", "outcome", "number", "sandbox", "unknown_label"),
        ("label", "reason", "title", "titled"),
    ),
    Kind(
        "consent_withdrawn",
        "record",
        "Somebody outside wants no more messages; it holds at once.",
        ("channels", "source", "message_id", "run"),
        ("title", "titled"),
    ),
    Kind(
        "consent_given",
        "record",
        "A person or an action noted that somebody outside agreed to be reached.",
        ("channels", "run"),
        ("title", "titled"),
    ),
    Kind(
        "message_tested",
        "configuration",
        "A person sent a test message, or a copy of a run's e-mail, to themselves.",
        ("channel", "provider", "sandbox", "run"),
    ),
)
