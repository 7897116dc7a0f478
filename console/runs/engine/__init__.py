"""What happens in a run without a person: automatic steps, effects, proposals, timers."""

__all__ = [
    "addressees",
    "advancing",
    "answering",
    "effect_followup",
    "into_inbox",
    "preparing",
    "proposing",
    "stepping",
    "sweep",
]
