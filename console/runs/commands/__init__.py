"""Commands of people and programs to a run: start, complete, save, hand over, approve, revise, settle. Each checks the rights, decides and commits once."""

OPEN_MODULES = frozenset(
    {
        "approval_answers",
        "approval_questions",
        "approval_requests",
        "attachments",
        "cleared_notices",
        "effect_settling",
        "ending",
        "handing_over",
        "hands_off",
        "many_starts",
        "missing_context",
        "reporting",
        "rerunning",
        "revising",
        "run_rights",
        "run_starts",
        "segment_starts",
        "taking_out",
        "transitions",
        "version_moving",
    }
)
