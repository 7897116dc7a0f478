"""The webhook of an address, and notes on senders that it turned away. A delivery is written down only while its webhook stands as it was found."""

import functools
from dataclasses import dataclass

from console import log
from console.automation.triggers.trigger_rows import Row
from console.automation.webhooks import hook_addresses
from console.core.documents.triggers import Trigger
from console.core.errors import Malformed, NotFound
from console.infra import subjects
from console.infra.db.engine import fetch
from console.infra.db.ids import new_id

LONGEST_TOKEN = 200
MOST_READ = 256


class Off(NotFound):
    """The webhook is switched off; its address will work again when it is switched on."""

    default_code = "webhook_off"


class OldAddress(Malformed):
    """The address was replaced, or never existed. Copy the present one from the page of the workflow's triggers."""

    default_code = "old_address"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook with what only its rows know: the secret of a signed one, under the master key, and which version of the workflow is live.

    `token` stands for its address, `document` is its definition as it is stored: by these and the others one sees whether it stands as it was found.
    """

    row: Row
    secret: bytes | None
    live: int
    token: bytes
    document: str

    @property
    def signed(self) -> bool:
        """Whether its sender signs, in place of a key."""
        return bool(self.row.definition.signed)

    @property
    def standing(self) -> tuple[bytes, str, int | None, int, bytes | None]:
        """What `STANDS` is given."""
        return self.token, self.document, self.row.version, self.live, self.secret


_WORKS = "t.enabled and w.status = 'active' and w.archived_at is null and w.live_version is not null"
_FIND = f"""
select t.workflow, t.id, t.definition::text, coalesce(t.version, w.live_version), t.added, t.secret, w.live_version, {_WORKS}
from console.trigger t join console.workflow w on w.id = t.workflow where t.token = %s
"""  # noqa: S608 (a text of ours)
STANDS = f"""
from console.trigger t join console.workflow w on w.id = t.workflow where {_WORKS} and t.token = %b::bytea and t.definition::text = %s
    and coalesce(t.version, w.live_version) = %s and w.live_version = %s and t.secret is not distinct from %b::bytea
"""
"""One row while the webhook stands as it was found, by what `Hook.standing` gives."""


def find(token: str) -> Hook:
    """The webhook of this address. Raises Off, and OldAddress for an address that was replaced or never existed."""
    digest = hook_addresses.digest(token) if len(token) <= LONGEST_TOKEN and token.isascii() else b""
    found = fetch(_FIND, (digest,)) if digest else ()
    if not found:
        raise OldAddress(
            "This address was replaced, or never existed: nothing was started. Copy the present one from the triggers of the workflow."
        )
    (workflow, trigger, _, version, *_, works) = found[0]
    if not works:
        add_rejection(workflow, trigger, version, "It was off, or the workflow was not active.")
        raise Off("This webhook is switched off, or its workflow is not active: nothing was started.")
    _, _, definition, _, added, secret, live, _ = found[0]
    row = Row(
        workflow,
        trigger,
        "webhook",
        _read(definition),
        enabled=True,
        version=version,
        next_at=None,
        cursor=None,
        added=added,
    )
    return Hook(row, bytes(secret) if secret is not None else None, live, digest, definition)


@functools.lru_cache(maxsize=MOST_READ)
def _read(definition: str) -> Trigger:
    return Trigger.model_validate_json(definition)


def add_rejection(
    workflow: str, trigger: str, version: int | None, why: str, hook: Hook | None = None
) -> None:
    """Write down among the firings of a trigger why a sender was turned away; by this `hook` only while it stands as it was found: else the delivery is judged anew."""
    hour = f"{log.now():%Y-%m-%d %H}"
    key = "away " + subjects.digest(f"{hour}|{why}".encode("utf-8", "surrogatepass"), "delivery").hex()
    values = (new_id("fir"), workflow, trigger, key, version, why)
    fetch(
        _AWAY.format(STANDS if hook is not None else ""),
        (*values, *(hook.standing if hook is not None else ())),
    )


_AWAY = """
insert into console.firing (id, workflow, trigger, kind, key, at, version, status, why, tries, done_at)
select %s, %s, %s, 'webhook', %s, clock_timestamp(), %s::integer, 'refused', %s, 1, clock_timestamp() {}
on conflict (workflow, trigger, key) do update set tries = firing.tries + 1, at = excluded.at, done_at = excluded.done_at,
    why = excluded.why || ' So it went with ' || (firing.tries + 1) || ' deliveries within the hour.' returning 1
"""
"""Alike ones of an hour are one row with their number: who has only the address fills nothing."""
