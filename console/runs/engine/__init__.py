"""What happens in a run without a person: automatic steps, effects, proposals, timers."""

OPEN_MODULES = frozenset(
    {
        "consent_events",
        "addressees",
        "advancing",
        "proposal_answers",
        "children",
        "effect_followup",
        "effecting",
        "made_by_runs",
        "into_inbox",
        "people_behind",
        "proposal_inputs",
        "run_causes",
        "proposing",
        "step_reads",
        "stepping",
        "sweep",
        "without_record",
    }
)
