"""A flow that goes round for ever through two user tasks, each the business of the same person."""

from viewflow import this
from viewflow.workflow import flow, lock
from viewflow.workflow.models import Process


class Round(flow.Flow):
    """Two tasks in turn. The lock is the one that viewflow recommends for PostgreSQL."""

    process_class = Process
    lock_impl = lock.select_for_update_lock
    start = flow.StartHandle().Next(this.one)
    one = flow.View(None).Assign(username="olivia").Next(this.two)
    two = flow.View(None).Assign(username="olivia").Next(this.one)
