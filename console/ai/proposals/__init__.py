"""Proposals for steps: what the AI may see, what it may cost, who is asked, and what was asked and answered."""


def propose(call: str) -> None:
    """See to it that the call has an answer; see `console.ai.proposals.service`. What that needs is loaded at the first one."""
    from console.ai.proposals import service

    service.propose(call)


def make_ready() -> None:
    """Load what asking a model needs, where one is to be asked, so that the first person to wait does not wait for that."""
    from console.ai.proposals import options

    if not options.current().chosen("propose").rules:
        from console.ai.proposals import service

        service.make_ready()


def stop_waiting() -> None:
    """Let nobody in this process wait for an answer from outside any longer: it is to end."""
    from console.ai.proposals import waits

    waits.stop()


OPEN_MODULES = frozenset(
    {
        "absence_words",
        "audit",
        "budget",
        "cache",
        "call_log",
        "context",
        "feedback",
        "field_disclosure",
        "field_labels",
        "ladder",
        "model_call",
        "options",
        "promotion",
        "prompt_pieces",
        "prompts",
        "provider_standing",
        "result",
        "saving",
        "settings_document",
        "usage",
        "withheld",
    }
)
