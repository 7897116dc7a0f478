"""What waits for people: tickets, tasks, questions, approvals, notices, and what is left behind by who goes."""

__all__ = ["approvals", "approvers", "leavers", "my_work", "notices", "questions", "tasks", "tickets"]
