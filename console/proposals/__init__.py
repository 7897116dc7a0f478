"""Proposals for steps: what the AI may see, what it may cost, who is asked, and what was asked and answered."""


def propose(call: str) -> None:
    """See to it that the call has an answer; see `console.proposals.service`. What that needs is loaded at the first one."""
    from console.proposals import service

    service.propose(call)


def stop_waiting() -> None:
    """Let nobody in this process wait for an answer from outside any longer: it is to end."""
    from console.proposals import waits

    waits.stop()


__all__ = ["propose", "stop_waiting"]
