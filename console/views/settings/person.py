"""One person: rights, sessions, work in hand, profile and tags; disabling and removing the account."""

from typing import Any

from flask import Blueprint, Response, flash, request
from markupsafe import Markup

from console import workflows
from console.auth import access, accounts
from console.auth.accounts import abilities, authority, others_keys, person_changes, sessions
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotAllowed
from console.views import frame
from console.views.forms import WITHOUT_PLACE, Field, Form, Group, Lines, numbered
from console.views.settings import absence_forms, area, people
from console.views.settings.me import device, identities_shown, locales, profile_items
from console.work import leavers
from console.work.leavers import Given

blueprint = Blueprint("person", __name__, url_prefix="/settings/people/<person_id>")

BLANK_TAGS = 2
COLLEAGUES = 50
TAGS_HINT = "Conditions of roles ask for them, such as record.desk in $currentUser.tags.desks. One value a line; a row without a name and values is left out."


@blueprint.get("")
def show(person_id: str) -> Response:
    """Show everything about the person on one page."""
    return _drawn(person_id)


def draw(person_id: str, absent: ConsoleError) -> Response:
    """Show the page with what was wrong about an absence."""
    return _drawn(person_id, absent=absent)


def _drawn(
    person_id: str,
    *,
    given: list[Given] | None = None,
    error: ConsoleError | None = None,
    absent: ConsoleError | None = None,
    runs_form: Form | None = None,
) -> Response:
    who = frame.actor()
    may = abilities.of_person(who, person_id)
    person, names = accounts.person(person_id), people.team_names()
    held, all_held = leavers.runs_held(who, person.id)
    context = {
        "person": person,
        "state": people.STATES[person.state],
        "roles": people.role_words(person.roles, names),
        "teams": [names.get(team, team) for team in person.teams],
        "tags": [
            (f"Tag {key}", ", ".join(person_changes.tag_values(value)))
            for key, value in sorted(person.tags.items())
        ],
        "may": people.grouped(may),
        "own": person.id == who.id,
        "factor": accounts.factor_of(person.id),
        "identities": identities_shown(person.id),
        "sessions": [
            (session, device(session.agent)) for session in sessions.sessions_of_person(who, person.id)
        ],
        "keys": others_keys.api_keys(who, person.id),
        "absences": _absences(who, person, absent),
        "runs_form": runs_form or (_runs_form(person_id) if held else None),
        "held": len(held),
        "waiting": leavers.waiting(who, person.id),
        "personal": workflows.ownership.personal_of(who, person.id),
        "unseen": all_held - len(held),
        "given": given or [],
        "locale_words": locales().get(person.locale, person.locale),
        "refused": error,
    }
    error = error or absent or (runs_form.error if runs_form else None)
    return area.page("settings/person.html", "people", context, heading=person.name, error=error)


def _runs_form(person_id: str) -> Form:
    held = leavers.runs_held(frame.actor(), person_id)[0]
    choices = [
        (
            run.id,
            Markup('<a href="{}">{}</a> of {}').format(
                frame.run_url(run.id), run.workflow_title, run.record_title
            ),
            run.step_title or "",
        )
        for run in held
    ]
    colleagues = [
        (colleague.email, colleague.name)
        for colleague in accounts.search("", COLLEAGUES)
        if colleague.id != person_id
    ]
    items = [
        Field("run", "Runs to give away", "checks", choices=choices),
        Group(
            [
                Field("email", "Give to (e-mail)", "email", suggestions=colleagues),
                Field("reason", "Reason", max_length=2000),
            ]
        ),
    ]
    values = {"run": [run.id for run in held]}
    return Form(
        items,
        values,
        "Give the ticked runs away",
        icon="send",
        tone="",
        css="form",
        action=people.url(person_id, "runs"),
    )


def _absences(who: Actor, person: accounts.Person, error: ConsoleError | None) -> dict[str, Any] | None:
    """Return when the person is away; None where the reader has no say in it."""
    try:
        return None if person.service or person.removed else absence_forms.context(who, person.id, error)
    except NotAllowed:
        return None


@blueprint.route("/particulars", methods=["GET", "POST"])
def particulars(person_id: str) -> Response:
    """Save name, language, time zone and tags."""
    who = frame.actor()
    authority.require(who)
    person = accounts.person(person_id)
    own_account = person.id == who.id
    stored = [
        (key, "\n".join(person_changes.tag_values(values))) for key, values in sorted(person.tags.items())
    ]
    tags = _read_tags() if request.method == "POST" else stored
    items, values = profile_items(person.name, person.locale, person.zone)
    if own_account:
        items.append(Group([], "Tags", "fieldset", "Nobody changes their own tags: ask another admin."))
    else:
        columns = [Field("tag", "Name", placeholder="desks"), Field("values", "Values", "area", rows=2)]
        lines = [{"tag": key, "values": text} for key, text in tags]
        items.append(Lines("tags", "Tags", columns, numbered([*lines, *[{}] * BLANK_TAGS]), TAGS_HINT))
    form = Form(items, values, cancel=people.url(person.id))

    def save(sent: dict[str, Any]) -> Response:
        changed = None if own_account else {key: text.splitlines() for key, text in _read_tags()}
        accounts.change_person(who, person.id, **sent, tags=changed)
        flash(f"{sent['name']} is changed.")
        return frame.redirect_to(people.url(person.id))

    return form.submit_to(save) or _form_page(person, form, "Particulars and tags")


def _form_page(person: accounts.Person, form: Form, heading: str) -> Response:
    return area.form_page("people", form, heading, [(people.url(person.id), person.name)])


@blueprint.route("/close", methods=["GET", "POST"])
def close(person_id: str) -> Response:
    """Show what would happen, then close the account, or remove it if the confirmation was typed."""
    who = frame.actor()
    authority.require(who)
    person = accounts.person(person_id)
    confirm = Field(
        "confirm",
        f"Type {person_changes.CONFIRM}",
        required=True,
        more={"autocapitalize": "characters", "spellcheck": "false"},
    )
    form = Form(
        [confirm],
        submit="Remove the account",
        title=f"Remove {person.name}",
        icon="trash",
        tone="danger",
        do="remove",
        css="card pad sect narrow danger",
        cancel=people.url(person.id),
    )

    def remove(sent: dict[str, Any]) -> Response:
        accounts.remove_person(who, person.id, sent["confirm"])
        flash(f"The account of {person.name} is removed.")
        return frame.redirect_to(people.url(person.id))

    if made := form.submit_to(remove):
        return made
    error = form.error
    if request.method == "POST" and error is None:
        try:
            accounts.disable_person(person.id, by=who)
            flash(f"The account of {person.name} is closed.")
            return frame.redirect_to(people.url(person.id))
        except (Conflict, NotAllowed) as refused:
            if refused.code in WITHOUT_PLACE:
                raise
            error = refused
    acting = workflows.acting_as(person.email) if person.service else []
    context = {
        "person": person,
        "form": form,
        "refused": error if error is not form.error else None,
        "held": leavers.runs_held(who, person.id)[1],
        "waiting": leavers.waiting(who, person.id),
        "personal": len(workflows.ownership.personal_of(who, person.id)),
        "acting": len(acting),
        "acting_named": [
            each.title
            for each in acting
            if access.can(who, each.team or None, f"{workflows.OBJECT}:{each.slug}", "see")
        ],
        "sessions": len(sessions.sessions_of_person(who, person.id)),
        "keys": len(others_keys.api_keys(who, person.id)),
    }
    trail = [(people.url(person.id), person.name)]
    return area.page(
        "settings/person_close.html", "people", context, heading="Close or remove", trail=trail, error=error
    )


@blueprint.post("/enable")
def enable(person_id: str) -> Response:
    """Open a closed account again."""
    try:
        accounts.enable_person(frame.actor(), person_id)
    except (Conflict, NotAllowed) as refused:
        if refused.code in WITHOUT_PLACE:
            raise
        return _drawn(person_id, error=refused)
    flash("The account is open again.")
    return frame.redirect_to(people.url(person_id))


@blueprint.post("/sessions")
def end_session(person_id: str) -> Response:
    """End one session (`session`), or all of them."""
    who, session = frame.actor(), request.form.get("session", "")
    if session:
        sessions.end_of_person(who, person_id, session)
        flash("The session is ended.")
    else:
        ended = sessions.end_all(who, person_id)
        flash("1 session is ended." if ended == 1 else f"{ended} sessions are ended.")
    return frame.redirect_to(people.url(person_id))


@blueprint.post("/keys")
def keys(person_id: str) -> Response:
    """Revoke one key (`key`)."""
    others_keys.revoke_key(frame.actor(), person_id, request.form.get("key", ""))
    flash("The key opens nothing any more.")
    return frame.redirect_to(people.url(person_id))


@blueprint.post("/runs")
def runs(person_id: str) -> Response:
    """Assign the ticked runs (`run`) to the person with an address (`email`); show those that could not be assigned."""
    form = _runs_form(person_id)
    given: list[Given] = []

    def give(sent: dict[str, Any]) -> Response:
        given.extend(leavers.hand_on(frame.actor(), person_id, sent["run"], sent["email"], sent["reason"]))
        if any(result.error for result in given):
            return _drawn(person_id, given=given)
        flash("1 run is given away." if len(given) == 1 else f"{len(given)} runs are given away.")
        return frame.redirect_to(people.url(person_id))

    return form.submit_to(give) or _drawn(person_id, runs_form=form)


def _read_tags() -> list[tuple[str, str]]:
    """Return the tags in the form: name, and its values one in a line."""
    names, values = request.form.getlist("tag"), request.form.getlist("values")
    return [
        (name.strip(), value.strip())
        for name, value in zip(names, values, strict=False)
        if name.strip() or value.strip()
    ]
