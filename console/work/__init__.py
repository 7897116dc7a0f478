"""What waits for people: tickets, tasks, questions, approvals, notices, and what people who leave hand to others."""

__all__ = ["approvals", "approvers", "leavers", "my_work", "notices", "questions", "tasks", "ticket_assignment", "tickets"]
