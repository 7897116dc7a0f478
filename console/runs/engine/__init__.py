"""What happens in a run without a person: automatic steps, effects, proposals, timers."""

OPEN_MODULES = frozenset(
    {
        "addressees",
        "advancing",
        "children",
        "consent_events",
        "effect_followup",
        "effecting",
        "inbox_placement",
        "made_by_runs",
        "missing_records",
        "people_behind",
        "proposal_answers",
        "proposal_inputs",
        "proposing",
        "run_causes",
        "step_reads",
        "stepping",
        "sweep",
    }
)
