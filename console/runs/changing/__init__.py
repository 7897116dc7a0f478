"""Commands of people and programs to a run: start, complete, save, hand over, approve, revise, settle. Each checks the rights, decides and commits once."""

__all__ = [
    "approval_answers",
    "approval_questions",
    "approval_requests",
    "attachments",
    "cleared_notices",
    "effect_settling",
    "handing_over",
    "missing_context",
    "reporting",
    "rerunning",
    "revising",
    "run_rights",
    "transitions",
]
