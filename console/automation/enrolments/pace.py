"""Workflows in which somebody waits to begin, and how fast they may."""

from dataclasses import dataclass
from datetime import timedelta

from console import log, workflows
from console.auth import access
from console.automation.enrolments.beginning import PARALLEL
from console.core.actor import Actor
from console.infra.db.engine import fetch

SHOWN = 20
_WAITING = """
select w.id, w.slug, w.title, w.status = 'active' and w.archived_at is null, w.live_version, c.n,
(select count(*) from console.enrolment e where e.workflow = w.id and e.begun_at > %s)
from (select workflow, sum(n) as n from console.enrolment_count where status = 'waiting' group by workflow having sum(n) > 0) c
join console.workflow w on w.id = c.workflow where w.live_version is not null and not 'workflow:' || w.slug = any(%s) order by c.n desc, w.title limit %s
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many wait in a workflow, how many of it began within the last minute, and what it allows; `per_minute`, `per_day` None: no limit. `parallel` None: its version cannot be read."""

    slug: str
    title: str
    active: bool
    waiting: int
    begun: int
    parallel: int | None
    per_minute: int | None
    per_day: int | None = None


def paces(actor: Actor) -> list[Pace]:
    """The workflows in which most wait, in one statement. Raises NotAllowed without the right `source.manage`."""
    access.require(actor, None, "source", "manage")
    found = fetch(_WAITING, (log.now() - timedelta(minutes=1), access.hidden_from(actor), SHOWN))
    made = []
    for workflow, slug, title, active, version, waiting, begun in found:
        definition = workflows.readable_version(workflow, version)
        allowed = (
            (None, None, None)
            if definition is None
            else (
                definition.document.settings.parallel or PARALLEL,
                definition.document.settings.per_minute,
                definition.document.settings.per_day,
            )
        )
        made.append(Pace(slug, title, active, int(waiting), begun, *allowed))
    return made
