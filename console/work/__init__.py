"""Work that waits for people: tickets, tasks, questions, approvals, notices, and what people who leave hand to others."""

OPEN_MODULES = frozenset(
    {
        "agent_requests",
        "approval_context",
        "approval_times",
        "approvals",
        "approvers",
        "due_times",
        "ended_runs",
        "leavers",
        "my_work",
        "notices",
        "questions",
        "substitutions",
        "tasks",
        "ticket_assignment",
        "tickets",
        "waiting_reasons",
        "work_list",
        "work_moves",
    }
)
