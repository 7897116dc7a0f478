"""Whether a proposal helped, as the person says it was made for: a thumb, and a comment that is sealed under the key of whom the run is about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from console import log
from console.core.actor import Actor
from console.core.errors import Invalid, NotFound
from console.infra import subjects
from console.infra.db.engine import fetch, transaction
from console.runs.commands.run_rights import see

Thumb = Literal["up", "down"]
THUMBS: tuple[str, ...] = get_args(Thumb)
MOST_COMMENT = 2_000
_CALL = "select run, person, label, team, status, mode, submitted_at is not null from console.ai_call where id = %s"
_KEEP = sa.text(
    "insert into console.ai_feedback (call, person, at, thumb, subject, kid, nonce, ct) values (:call, :person, now(), :thumb, :subject, :kid, :nonce, :ct)"
    " on conflict (call, person) do update set at = excluded.at, thumb = excluded.thumb, subject = excluded.subject, kid = excluded.kid,"
    " nonce = excluded.nonce, ct = excluded.ct"
)
_OF = "select f.person, coalesce(p.name, f.person), f.thumb, f.at, f.subject, f.nonce, f.ct from console.ai_feedback f left join console.person p on p.id = f.person where f.call = %s order by f.at"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A person's feedback on the proposal; `comment` None if there is none or it was erased."""

    person: str
    thumb: str
    at: datetime
    comment: str | None


def give(actor: Actor, run_id: str, call_id: str, thumb: str, comment: str = "") -> None:
    """Note what the actor thinks of this proposal; said again, the newer counts. Raises NotFound for a call that was not made for them, Invalid."""
    seen = see(actor, run_id)
    rows = fetch(_CALL, (call_id,)) if "\x00" not in call_id else []
    if not rows or rows[0][0] != run_id or not _theirs(actor, *rows[0]):
        raise NotFound
    text = comment.strip()
    problems = [] if thumb in THUMBS else [("thumb", "Say whether it helped.")]
    if len(text) > MOST_COMMENT or "\x00" in text:
        problems.append(("comment", f"At most {MOST_COMMENT:,} characters."))
    if problems:
        raise Invalid("Nothing was noted.", details=problems)
    run = seen.run
    subject = seen.loaded.subject or subjects.subject_of("run", run.id)
    sealed: tuple[Any, ...] = (
        subjects.seal(subject, _about(call_id, actor.id), text) if text else (None, None, None)
    )
    row = {"call": call_id, "person": actor.id, "thumb": thumb, "subject": subject if text else None}
    with transaction() as connection:
        connection.execute(_KEEP, row | dict(zip(("kid", "nonce", "ct"), sealed, strict=True)))
        log.note(
            actor,
            "ai_feedback",
            open={"call": call_id, "run": run_id, "thumb": thumb},
            sealed={"comment": text} if text else None,
            subject=subject if text else None,
            team=run.team,
            label=run.label,
            connection=connection,
        )


def commented(actor: Actor, call_id: str) -> str:
    """The actor's comment on the proposal; empty if there is none or it was erased."""
    return next((opinion.comment or "" for opinion in _read_opinions(call_id, actor.id)), "")


def thumb_of(actor: Actor, call_id: str) -> str | None:
    """The thumb that the actor gave this proposal, None where they said nothing yet."""
    rows = fetch("select thumb from console.ai_feedback where call = %s and person = %s", (call_id, actor.id))
    return rows[0][0] if rows else None


def opinions_of(call_id: str) -> list[Opinion]:
    """All feedback on this proposal, oldest first. Callers check the rights."""
    return _read_opinions(call_id, None)


def _read_opinions(call_id: str, person_id: str | None) -> list[Opinion]:
    return [
        Opinion(name, thumb, at, _opened(call_id, person, subject, nonce, ct))
        for person, name, thumb, at, subject, nonce, ct in fetch(_OF, (call_id,))
        if person_id in (None, person)
    ]


def _theirs(
    actor: Actor,
    _: str,
    person: str | None,
    __: str | None,
    ___: str | None,
    status: str,
    mode: str,
    handed_in: bool,
) -> bool:
    """Whether the actor was shown it: made for them, there, and not hidden, or hidden until the step was handed in."""
    return person == actor.id and status == "ok" and (mode in ("assist", "auto") or handed_in)


def _opened(
    call_id: str, person: str, subject: str | None, nonce: bytes | None, ct: bytes | None
) -> str | None:
    if subject is None or nonce is None or ct is None:
        return None
    try:
        return str(subjects.unseal(subject, _about(call_id, person), nonce, ct))
    except subjects.Unreadable:
        return None


def _about(call_id: str, person: str) -> str:
    return f"ai_feedback|{call_id}|{person}"
