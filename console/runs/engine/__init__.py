"""What a run does by itself: automatic steps, effects, proposals, timers."""

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
