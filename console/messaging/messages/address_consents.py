"""What people without a record agreed to, kept by the digest of their address; and on which basis a workflow reaches those who bring no consent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access
from console.core.actor import Actor
from console.core.contacting import CHANNELS, WORDS, Consent
from console.core.errors import Invalid
from console.core.moments import moment_text
from console.infra.db.engine import fetch, transaction

LEAD_CHANNELS = tuple(channel for channel in CHANNELS if channel != "chat")
LONGEST = 300
_KEEP = sa.text(
    "insert into console.address_consent (address, channel, given_at, source, lead, noted_at, noted_by)"
    " select w.address, w.channel, w.given_at, w.source, w.lead, :at, :by from unnest(cast(:addresses as text[]), cast(:channels as text[]),"
    " cast(:given as timestamptz[]), cast(:sources as text[]), cast(:leads as text[])) as w (address, channel, given_at, source, lead)"
)
_GIVEN = "select distinct on (address, channel) address, channel, given_at, source from console.address_consent where address = any(%s) order by address, channel, given_at desc"
_DEFAULTS = "select channel, basis, at, by from console.consent_default where workflow = %s order by channel"
_EVERY_DEFAULT = (
    "select workflow, channel, basis, at, by from console.consent_default order by workflow, channel"
)
_LEAD = "select exists (select from console.enrolment where run = %s and record is null and not of_run)"
_OF_LEAD = "select c.channel, c.address from console.address_consent c join console.enrolment e on e.id = c.lead where e.run = %s"
_SET = sa.text(
    "insert into console.consent_default (workflow, channel, basis, at, by) values (:workflow, :channel, :basis, :at, :by)"
    " on conflict (workflow, channel) do update set basis = excluded.basis, at = excluded.at, by = excluded.by"
)
_END = sa.text("delete from console.consent_default where workflow = :workflow and channel = :channel")


@dataclass(frozen=True, slots=True)
class Given:
    """A consent that a lead brings: who has the address (as its digest) agreed to the channel."""

    lead: str
    address: str
    channel: str
    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Default:
    """On which legal basis a workflow uses a channel for leads without a consent of their own, and who confirmed it."""

    channel: str
    basis: str
    at: datetime
    by: str


def keep(connection: Connection, consents: Sequence[Given], by: str) -> None:
    """Keep what leads bring, with the transaction of `connection`."""
    if consents:
        columns = {
            "addresses": [each.address for each in consents],
            "channels": [each.channel for each in consents],
            "given": [each.at for each in consents],
            "sources": [each.source for each in consents],
            "leads": [each.lead for each in consents],
        }
        connection.execute(_KEEP, columns | {"at": log.now(), "by": by})


def consents_of_addresses(addresses: Iterable[str]) -> dict[str, dict[str, Consent]]:
    """Digest of an address → channel → the newest consent that is kept for it; one statement."""
    found: dict[str, dict[str, Consent]] = {}
    for address, channel, at, source in fetch(_GIVEN, (sorted(set(addresses)),)):
        found.setdefault(address, {})[channel] = Consent(given=True, source=source, at=moment_text(at))
    return found


def is_lead(run_id: str) -> bool:
    """Whether the run is that of somebody who was enrolled without a record."""
    return bool(fetch(_LEAD, (run_id,))[0][0])


def addresses_of_lead(run_id: str) -> dict[str, str]:
    """Channel → digest of the address for which the run's lead brought a consent."""
    return dict(fetch(_OF_LEAD, (run_id,)))


def defaults(workflow: str) -> list[Default]:
    """What is confirmed for the leads of a workflow."""
    return [Default(*row) for row in fetch(_DEFAULTS, (workflow,))]


def every_default() -> list[tuple[str, Default]]:
    """(workflow, what is confirmed for its leads) for all workflows; one statement."""
    return [(workflow, Default(*row)) for workflow, *row in fetch(_EVERY_DEFAULT)]


def default_consents(workflow: str) -> dict[str, Consent]:
    """Channel → the consent that stands for leads without one. It has no moment: whatever was taken back, at any time, counts more."""
    return {
        each.channel: Consent(given=True, source=f"legal basis of the workflow: {each.basis}")
        for each in defaults(workflow)
    }


def set_defaults(actor: Actor, workflow: str, slug: str, wanted: Mapping[str, str]) -> list[Default]:
    """Confirm these, channel → legal basis, in place of what was confirmed for the workflow, which the actor sees. Raises NotAllowed, Invalid with a detail per channel."""
    access.require(actor, None, "source", "manage")
    if wrong := _wrong(wanted):
        raise Invalid("Nothing was saved: some entries cannot be used.", details=wrong)
    before = {each.channel: each.basis for each in defaults(workflow)}
    after = {channel: basis.strip() for channel, basis in wanted.items()}
    changed = sorted(channel for channel in {*before, *after} if before.get(channel) != after.get(channel))
    with transaction() as connection:
        for channel in changed:
            row = {
                "workflow": workflow,
                "channel": channel,
                "basis": after.get(channel),
                "at": log.now(),
                "by": actor.id,
            }
            connection.execute(_SET if channel in after else _END, row)
        if changed:
            data = {"workflow": workflow, "slug": slug, "channels": changed}
            told = [f"{WORDS[each]}: {after.get(each) or 'taken back'}" for each in changed]
            log.note(
                actor,
                "consent_default_set",
                open=data,
                sealed={"changes": told},
                chain="sys:config",
                connection=connection,
            )
    return defaults(workflow)


def _wrong(wanted: Mapping[str, str]) -> list[dict[str, str]]:
    wrong = []
    for channel, basis in wanted.items():
        if channel not in LEAD_CHANNELS:
            wrong.append(
                {"field": f"consent.{channel[:60]}", "reason": f"One of {', '.join(LEAD_CHANNELS)}."}
            )
        elif not basis.strip() or len(basis) > LONGEST or "\x00" in basis:
            reason = (
                f"Say the legal basis in up to {LONGEST} characters, such as “contract, Art. 6(1)(b) GDPR”."
            )
            wrong.append({"field": f"consent.{channel}.basis", "reason": reason})
    return wrong
