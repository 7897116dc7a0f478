"""Who may approve a request now, in words, and the reason where nobody can."""

from collections.abc import Iterable, Sequence

from console.auth import accounts
from console.auth.access import limits
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.plain_words import roles_words, with_article
from console.runs.commands.approval_answers import VisibleRequest, visible_request
from console.runs.commands.approval_requests import KEPT_OUT, NO_RIGHT, NOT_SEEN, possible_approvers

MOST_NAMED = 8
MOST_SPOKEN = 3
NOBODY_NAMED = "somebody with the right to approve it"
REASONS = (NO_RIGHT, NOT_SEEN, KEPT_OUT)


def deciders(request: VisibleRequest) -> list[tuple[str, str]]:
    """(name, "" or until when they are away and who of the others stands in) of people who may decide now; those who are here first, at most `MOST_NAMED`.

    Without those who have answered.
    """
    able = able_approvers(request)
    gone, names = absences.away_words(able, able), accounts.names(able)
    ordered = sorted(
        (person in gone, names[person], gone.get(person, "")) for person in able if person in names
    )
    return [(name, away) for _, name, away in ordered[:MOST_NAMED]]


def able_approvers(request: VisibleRequest) -> list[str]:
    """Ids of people who may decide now, without those who have answered."""
    approval = request.approval
    return [
        person
        for person, lacks in possible_approvers(request.seen.run, approval).items()
        if lacks is None and not approval.answered_by(person)
    ]


def _sorted_names(people: Iterable[str]) -> list[str]:
    return sorted(accounts.names(list(people)).values())[:MOST_NAMED]


def words(actor: Actor, approval_id: str) -> str:
    """The people that the request waits for, as a sentence."""
    request = visible_request(actor, approval_id)
    approval = request.approval
    able = deciders(request)
    role = roles_words(approval.roles)
    left = approval.needs - len(approval.approvers)
    if len(able) < left:
        return f"Waiting for {with_article(role) if role else NOBODY_NAMED} to approve. {stuck(request)}"
    of_them = f"{left} of " if 1 < left < len(able) else ""
    many = f" ({len(approval.approvers)} of {approval.needs} have)" if approval.needs > 1 else ""
    return f"Waiting for {of_them}{_spoken(able, 'and' if left > 1 else 'or')} to approve{many}."


def _spoken(able: Sequence[tuple[str, str]], joint: str) -> str:
    """The people by name, as many as a sentence carries; absent ones only where nobody else is left."""
    here = [(name, away) for name, away in able if not away] or able
    names = [f"{name}, who is {away}," if away else name for name, away in here[:MOST_SPOKEN]]
    names += ["others"] if len(able) > len(names) else []
    return f" {joint} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def stuck(request: VisibleRequest) -> str:
    """Why too few people can approve now, and whom to ask about it."""
    approval, run = request.approval, request.seen.run
    held = possible_approvers(run, approval)
    team = next((each.name for each in accounts.teams() if each.id == run.team), run.team)
    free = [person for person, lacks in held.items() if lacks is None and not approval.answered_by(person)]
    if not held:
        why = f"Nobody in {team} has that role."
    elif free:
        why = f"Only {limits.join_names(_sorted_names(free))} can, and {approval.needs - len(approval.approvers)} more are needed."
    else:
        reasons = (
            f"{limits.join_names(_sorted_names(people))} {reason}"
            for reason in REASONS
            if (people := [each for each, lacks in held.items() if lacks == reason])
        )
        why = (
            f"Who has that role in {team} cannot: {'; '.join(reasons)}."
            if any(held.values())
            else f"Everybody in {team} with that role has decided."
        )
    managers = limits.join_names(limits.able(None, "policy", "manage")) or "Who runs the console"
    return f"{why} {managers} can give somebody the role and the right; or withdraw the request and ask for something else."
