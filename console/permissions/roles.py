"""Roles: the shipped levels, and the company's own roles, which are built from levels (one level deep)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from console.auth import access, accounts
from console.auth.access.decisions import roles_in
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_changes import Change, rules_of
from console.auth.access.rows import EVERY, LEVELS, Row
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.core.plain_words import slug
from console.infra.db.engine import fetch, transaction
from console.permissions.writing import everybody, log_change, write

ROLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
RESERVED = frozenset({"draft", "versions"})  # paths of other pages
MOST_TITLE, MOST_ABOUT = 60, 300
ABOUT = {
    "operator": "Works through runs: sees, starts and resumes them.",
    "lead": "As operator; takes over, assigns, cancels, approves, edits and publishes workflows.",
    "reviewer": "Sees runs and replays.",
    "auditor": "Sees runs everywhere; reads, exports and verifies the activity log.",
    "developer": "Edits and publishes workflows, manages data sources.",
    "admin": "Manages sources, rights, keys and people; reads the log.",
}
_TITLE = sa.text(
    "insert into console.role (id, title, about) values (:id, :title, :about)"
    " on conflict (id) do update set title = :title, about = :about, changed_at = now()"
)


@dataclass(frozen=True, slots=True)
class Role:
    """A role. `level`: a shipped one. `built_from` and `holders` include the place (`t:<team>` or `*`) and its name; `rules` is their number."""

    id: str
    title: str
    about: str
    level: bool
    built_from: tuple[tuple[str, str], ...]
    holders: tuple[tuple[accounts.Person, str], ...]
    rules: int


def list_roles(actor: Actor) -> list[Role]:
    """All roles: levels first, then the company's own by title. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    return _every_role(all_titles())


def read_role(actor: Actor, role: str) -> Role:
    """One role. Raises NotAllowed, NotFound."""
    found = next((each for each in list_roles(actor) if each.id == role), None)
    if found is None:
        raise NotFound
    return found


def create(
    actor: Actor, title: str, *, level: str = "", place: str = EVERY, copy: str = "", about: str = ""
) -> str:
    """Create a role, built from a level in one place (`t:<team>` or `*`) or copied from another role; returns its id.

    Nobody has it yet. Raises NotAllowed, Invalid per field.
    """
    there = {each.id: each for each in list_roles(actor)}
    details = _of_title(title, about, [each.title for each in there.values()])
    if copy and copy not in there:
        details.append(("copy", "There is no such role."))
    if level and level not in LEVELS:
        details.append(("level", f"A role is built from one of {', '.join(LEVELS)}."))
    if not copy and not level:
        details.append(("level", "Choose what it is built from, or which role to copy."))
    if details:
        raise Invalid("This role cannot be made.", details=details)
    ident = _free(title, set(there))
    built = level or (
        copy if copy in LEVELS else ""
    )  # the rights of a level are not copied: the role is built from it
    rows = {Row("g", f"role:{ident}", place, f"role:{built}")} if built else set()
    if copy and not built:
        rows = {replace(row, sub=f"role:{ident}") for row in _own(copy)}
    write(
        actor,
        Change(frozenset(rows)),
        base=access.current_version(),
        names=all_titles(),
        note=f"New role {title.strip()}",
        also=lambda connection: connection.execute(
            _TITLE, {"id": ident, "title": title.strip(), "about": about.strip()}
        ),
    )
    return ident


def rename(actor: Actor, role: str, title: str, about: str) -> None:
    """Change title and description of an own role; its id, which rights and the log use, stays. Raises NotAllowed, NotFound, Invalid."""
    own = _changeable(actor, role)
    details = _of_title(title, about, [each.title for each in list_roles(actor) if each.id != own.id])
    if details:
        raise Invalid("The role cannot be called that.", details=details)
    with transaction() as connection:
        connection.execute(_TITLE, {"id": role, "title": title.strip(), "about": about.strip()})
        log_change(
            actor, Change(), access.current_version(), f"{own.title} is called {title.strip()}", connection
        )


def delete(actor: Actor, role: str) -> None:
    """Delete a role and its rules; an earlier version of the rights can restore them.

    Raises NotAllowed for a level, NotFound, and Conflict that names holders or the role built from it.
    """
    own = _changeable(actor, role)
    if own.holders:
        names = ", ".join(sorted({person.name for person, _ in own.holders}))
        raise Conflict(f"{own.title} is held by {names}. Give them another role first.", code="role_held")
    write(
        actor,
        Change(removed=frozenset(_own(role))),
        base=access.current_version(),
        names=all_titles(),
        note=f"Role {own.title} taken away",
        also=lambda connection: connection.execute(
            sa.text("delete from console.role where id = :id"), {"id": role}
        ),
    )


def _every_role(names: Names) -> list[Role]:
    rows = access.all_rows()
    titles: dict[str, str] = dict(fetch("select id, about from console.role"))
    found = roles_in(access.policy_index()) | set(LEVELS) | set(titles)
    given: dict[str, list[tuple[accounts.Person, str]]] = {}
    for person in everybody():
        for role, team in sorted(person.roles):
            given.setdefault(role, []).append((person, EVERY if team == EVERY else f"t:{team}"))
    own: dict[str, list[Row]] = {}
    for row in rows:
        own.setdefault(row.sub, []).append(row)
    made = [
        Role(
            ident,
            names.role(ident),
            titles.get(ident) or ABOUT.get(ident, ""),
            ident in LEVELS,
            tuple(
                sorted(
                    (row.obj.removeprefix("role:"), row.dom)
                    for row in own.get(f"role:{ident}", ())
                    if row.ptype == "g"
                )
            ),
            tuple(given.get(ident, ())),
            len(
                {
                    (row.dom, row.obj, row.eft, row.expression)
                    for row in rules_of(own.get(f"role:{ident}", ()), ident)
                }
            ),
        )
        for ident in found
    ]
    return sorted(
        made,
        key=lambda each: (LEVELS.index(each.id) if each.level else len(LEVELS), each.title.lower(), each.id),
    )


def _own(role: str) -> list[Row]:
    """The rules of the role, and what it is built from."""
    return [row for row in access.all_rows() if row.sub == f"role:{role}"]


def _changeable(actor: Actor, role: str) -> Role:
    found = read_role(actor, role)
    if found.level:
        raise NotAllowed(
            f"{found.title} is a shipped level: it keeps its name, and stays. Copy it to change it.",
            need=("policy", "manage"),
        )
    return found


def _of_title(title: str, about: str, taken: Sequence[str]) -> list[tuple[str, str]]:
    text, details = title.strip(), []
    if not text or len(text) > MOST_TITLE or not text.isprintable():
        details.append(("title", f"A title takes 1 to {MOST_TITLE} printable characters."))
    elif text.lower() in {each.lower() for each in taken}:
        details.append(("title", "Another role is called that."))
    if len(about) > MOST_ABOUT:
        details.append(("about", f"At most {MOST_ABOUT} characters."))
    return details


def _free(title: str, taken: set[str]) -> str:
    """A free id made from the title."""
    plain = slug(title, "_")[:50]
    ident = plain if ROLE.fullmatch(plain) and plain not in RESERVED else f"role_{plain}".rstrip("_")
    return next(
        name for name in (ident, *(f"{ident}_{number}" for number in range(2, 10_000))) if name not in taken
    )
