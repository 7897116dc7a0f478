"""Moving chosen work of one's teams: to a person, away from its holders, or into an inbox; and taking that back. Each run is judged and moved by itself."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from console import runs
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotFound
from console.runs import RunHead
from console.runs.views import handovers, lists
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

MOST = 100
MOST_SEARCHED, MOST_OFFERED = 500, 30


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run of the list at the revision that it was shown at; whoever is slower moves nothing. `former` and `inbox` are who had it before, and where it waited: for taking a move back."""

    run: str
    revision: int
    former: str = ""
    inbox: str = ""

    @classmethod
    def parse(cls, text: str) -> "Chosen":
        """What `to_text` wrote. Raises Malformed."""
        run, _, rest = text.partition("~")
        revision, _, rest = rest.partition("~")
        former, _, inbox = rest.partition("~")
        if not run.startswith("run_") or not revision.isdecimal() or len(revision) > 9 or "\x00" in text:
            raise Malformed("That is no work of the list; choose it anew.", at=("item", "Not of this list."))
        return cls(run, int(revision), former, inbox)

    def to_text(self) -> str:
        """The choice as a value of a form."""
        return f"{self.run}~{self.revision}~{self.former}~{self.inbox}"


@dataclass(frozen=True, slots=True)
class Moved:
    """The result for one run: how to take it back, or None and the `reason` why it stayed."""

    title: str
    undo: Chosen | None
    reason: str = ""


def reassign(actor: Actor, chosen: Sequence[Chosen], user: str, reason: str) -> list[Moved]:
    """Give the runs to a person, or to who stands in for them. Raises Invalid on `item` or `reason`."""
    _require_reason(reason)
    return _each(
        actor,
        chosen,
        lambda each: runs.assign(actor, each.run, revision=each.revision, user=user, reason=reason),
    )


def release(actor: Actor, chosen: Sequence[Chosen], reason: str) -> list[Moved]:
    """Take the runs from their holders, with what they typed. Raises as `reassign` does."""
    _require_reason(reason)
    return _each(
        actor,
        chosen,
        lambda each: runs.release_from_holder(actor, each.run, revision=each.revision, reason=reason),
        held=True,
    )


def hand_over(actor: Actor, chosen: Sequence[Chosen], inbox: str, reason: str) -> list[Moved]:
    """Put the runs into an inbox of their team. Raises as `reassign` does."""
    _require_reason(reason)
    return _each(
        actor,
        chosen,
        lambda each: runs.hand_over(actor, each.run, revision=each.revision, inbox=inbox, reason=reason),
    )


def undo(actor: Actor, moved: Sequence[Chosen]) -> list[Moved]:
    """Give the runs back to who had them, or to where they waited and since when. One that was changed since stays. Raises Invalid on `item`."""
    return _each(actor, moved, lambda each: _give_back(actor, each))


def _give_back(actor: Actor, each: Chosen) -> None:
    if each.former:
        runs.assign(actor, each.run, revision=each.revision, user=each.former, reason="Taken back.")
        return
    if not each.inbox:
        runs.release_from_holder(actor, each.run, revision=each.revision, reason="Taken back.")
        return
    waited = handovers.last_ticket(each.run, each.inbox)
    if waited is None:
        raise Conflict("It did not wait in that inbox.", code="not_possible")
    runs.hand_over(
        actor,
        each.run,
        revision=each.revision,
        inbox=each.inbox,
        reason=waited.reason or "Taken back.",
        priority=waited.priority,
        at=waited.at,
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(
            "Nothing was moved.",
            at=("reason", "Say why: whoever loses the work and whoever gets it reads it."),
        )


def _each(
    actor: Actor, chosen: Sequence[Chosen], move: Callable[[Chosen], None], *, held: bool = False
) -> list[Moved]:
    """Move each and say what came of it; with `held` only those that somebody holds."""
    if not 1 <= len(chosen) <= MOST:
        raise Invalid("Nothing was moved.", at=("item", f"Choose 1 to {MOST} rows."))
    wanted = {each.run: each for each in chosen}
    before = heads(actor, chosen)
    results: dict[str, Moved] = {}
    for ident, each in wanted.items():
        head = before.get(ident)
        title = _title(head) if head is not None else ident
        try:
            if head is None:
                raise NotFound
            if held and head.holder is None:
                raise Conflict("Nobody holds it.", code="not_possible")
            move(each)
            results[ident] = Moved(title, each)
        except ConsoleError as error:
            reasons = [str(detail["reason"]) for detail in error.details if detail.get("field") != "holder"]
            results[ident] = Moved(title, None, reasons[0] if reasons else error.message)
    after = heads(actor, [wanted[ident] for ident, each in results.items() if each.undo is not None])
    return [
        Moved(each.title, _to_undo(before[ident], after.get(ident)) if each.undo else None, each.reason)
        for ident, each in results.items()
    ]


def _to_undo(before: RunHead, after: RunHead | None) -> Chosen:
    ticket = before.ticket or {}
    revision = after.revision if after is not None else before.revision + 1
    return Chosen(before.id, revision, before.holder or "", ticket.get("inbox", ""))


def _title(head: RunHead) -> str:
    return head.about or head.workflow_title


def heads(actor: Actor, chosen: Sequence[Chosen]) -> dict[str, RunHead]:
    """Those of the chosen runs that the actor may see, by id."""
    return {head.id: head for head in lists.with_ids(actor, [each.run for each in chosen])}


def assignable(actor: Actor, chosen: Sequence[Chosen]) -> set[tuple[str, str]]:
    """(team, slug) of the chosen runs that the actor may assign. Raises NotFound where there are none."""
    found = {
        (head.team, head.slug)
        for head in heads(actor, chosen).values()
        if access.can(actor, head.team, f"workflow:{head.slug}", "assign")
    }
    if chosen and not found:
        raise NotFound(hidden=True)
    return found


def people(kinds: Collection[tuple[str, str]], text: str = "") -> list[Actor]:
    """People whose name or address contains the text and who may go on with runs of all these teams and workflows; `kinds` are from `assignable`."""
    return [
        person
        for person in accounts.search(text, MOST_SEARCHED)
        if kinds and all(access.can(person, team, f"workflow:{slug}", "resume") for team, slug in kinds)
    ][:MOST_OFFERED]


def inboxes_for(kinds: Collection[tuple[str, str]]) -> list[Inbox]:
    """The inboxes into which runs of all these teams can be put."""
    teams = {team for team, _ in kinds}
    return inboxes.used_by(teams.pop()) if len(teams) == 1 else []
