"""`/workflows/<slug>/configuration`: how its runs behave, its variables and tables, its alerts, and its versions."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse, workflows
from console.auth import access, accounts
from console.authoring import diagrams
from console.core.documents.variables import VALID_FROM, Table
from console.core.documents.workflow import HANDS_OFF_LIMIT_MS, Settings, Workflow
from console.core.errors import (
    Conflict,
    ConsoleError,
    DefinitionError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
)
from console.infra import settings as of_house
from console.monitoring import alerts
from console.steps.effects import spoken_values
from console.views import formats, frame, refusals
from console.views.settings import area
from console.views.workflows import due_time, tabs, variables
from console.views.workflows.tabs import Section
from console.workflows import OBJECT, Known, Seen, inboxes

blueprint = Blueprint("workflow_configuration", __name__)


@dataclass(frozen=True, slots=True)
class Number:
    """A setting of the document as the form asks for it: `of` of the document's units are one of the form's, `without` is what holds where there is none."""

    name: str
    label: str
    help: str
    of: int = 1
    without: str = "none"

    def shown(self, value: int | None) -> str:
        """The document's value in the form's unit, empty for none."""
        return "" if value is None else f"{(Decimal(value) / self.of).normalize():f}"

    def read(self, text: str) -> int:
        """What was typed in the document's unit. Raises ValueError for what is no number, negative, too long, or no whole number there."""
        plain = text.replace(",", "").replace("\u202f", "")
        number = Decimal(plain) * self.of if re.fullmatch(r"[0-9]{1,12}([.][0-9]{1,6})?", plain) else None
        if number is None or number != int(number):
            raise ValueError(text)
        return int(number)


NUMBERS = (
    Number("timeout_ms", "Timeout", "minutes of work; waiting does not count", 60_000),
    Number(
        "retries",
        "Max retries",
        "of an automatic step",
    ),
    Number(
        "backoff_ms", "Backoff", "seconds before the first retry; each further pause is twice as long", 1_000
    ),
    Number("visit_limit", "Entries into one step", "before the run stops and asks"),
    Number("idle_save_minutes", "Saved by itself after", "minutes without a sign of who holds it"),
    Number(
        "parallel",
        "Runs at once",
        "that nobody holds; further ones wait",
        without="10",
    ),
    Number(
        "per_minute",
        "Starts within a minute",
        "runs that nobody holds",
    ),
    Number(
        "per_day",
        "Starts within 24 hours",
        "runs that nobody holds",
    ),
)
PLACES = (
    ("record", "on pages of records, in workspaces too"),
    ("list", "for chosen records of a list"),
    ("search", "in the search"),
    ("assistant", "to assistants"),
)
FIRST = 3
"""So many of the numbers are set by everybody; the others are limits."""
SHOWN_ROWS = 20
SHOWN_VERSIONS = 8
DAY = formats.Kind("valid_from", "Valid from", "date")
ON_ERROR = (("ask", "ask a person"), ("fail", "end the run as failed"))

tabs.register(Section("Configuration", 10, "configuration", "Settings", "/configuration"))


@blueprint.route("/workflows/<slug>/configuration", methods=["GET", "POST"])
def show(slug: str) -> Response:
    """Show the configuration; a POST saves it as a new version, for the runs that start next."""
    known = tabs.known_of(slug)
    if request.method != "POST":
        return _page(known, edited=request.args.get("alert", ""))
    try:
        given, wrong = _given()
        if wrong:
            raise Invalid("The configuration was not saved.", details=wrong)
        before = known.live
        after = workflows.configure(frame.actor(), known.id, settings=given, seen=Seen(settings=_drawn()))
    except (NotAllowed, NotFound):
        raise
    except ConsoleError as error:
        settings = _settings_now(known)
        now = {
            number.name: f", to {number.shown(settings[number.name]) or number.without}" for number in NUMBERS
        }
        return _page(known, _told_meanwhile(error, now))
    flash(_saved(after.live_version, before))
    return frame.redirect_to(tabs.address(known.slug, "/configuration"))


@blueprint.post("/workflows/<slug>/variables")
def save_variables(slug: str) -> Response:
    """Save the variables as a new version, for the runs that start next; as fields or as text."""
    known, form = tabs.known_of(slug), request.form
    access.require(frame.actor(), known.team or None, f"{OBJECT}:{known.slug}", "edit")
    now = workflows.definition(frame.actor(), known.id)
    seen = _drawn() if "drawn" in form else now.get("variables") or {}
    document = {**now, "variables": seen}
    view = form.get("view", variables.FIELDS)
    rows = variables.typed_rows(document, form) if view == variables.FIELDS else []
    shown: dict[str, Any] = {
        "view": view,
        "rows": rows,
        "text": form.get("text", ""),
        "drawn": variables.text_of(seen),
    }
    try:
        if view == variables.FIELDS:
            edits = variables.edits_of_rows(document, rows)
        else:
            edits = variables.edits_of_text(document, variables.read_text(shown["text"]))
        before = known.live
        after = (
            workflows.configure(frame.actor(), known.id, variables=edits, seen=Seen(variables=seen))
            if not edits.nothing
            else None
        )
    except (NotAllowed, NotFound):
        raise
    except ConsoleError as error:
        if isinstance(error, Conflict):
            names = [str(detail["field"]) for detail in error.details]
            there = workflows.definition(frame.actor(), known.id).get("variables") or {}
            _told_meanwhile(error, {name: variables.told_now(there, name) for name in names})
            shown["drawn"] = variables.text_of(variables.brought_up(seen, there, names))
        shown = _with_errors(shown, error)
        if isinstance(error, DefinitionError):
            error.message = (
                "The variables were not saved: with them the workflow would not work, or does not now."
            )
        error.details = [
            detail
            if detail.get("field") in (None, "", variables.TEXT)
            else {**detail, "reason": f"{formats.label_of(str(detail['field']))}: {detail['reason']}"}
            for detail in error.details
        ]
        return _page(known, error, of="variables", shown=shown)
    flash(_saved(after.live_version, before) if after is not None else "Nothing was changed")
    return frame.redirect_to(tabs.address(known.slug, "/configuration", view=view) + "#variables")


def _saved(now: int | None, before: int | None) -> str:
    return f"Saved as version {now}, for runs that start from now on" if now != before else "Saved"


def _shown(document: Mapping[str, Any], view: str) -> dict[str, Any]:
    """Return the variables as they stand, as fields or as text."""
    values = document.get("variables") or {}
    return {
        "view": variables.TEXT if view == variables.TEXT else variables.FIELDS,
        "rows": variables.rows_of(document),
        "text": variables.text_of(values),
        "drawn": variables.text_of(values),
    }


def _with_errors(shown: dict[str, Any], error: ConsoleError) -> dict[str, Any]:
    """Return what was typed with what is wrong at each row; what belongs to none is said above them."""
    reasons = refusals.reasons_by_field(error)
    rows = [
        replace(
            row,
            error=reasons.get(row.was or variables.name_of(row.name), "")
            or (reasons.get(variables.name_of(row.name), "") if row.name else ""),
        )
        for row in shown["rows"]
    ]
    return {**shown, "rows": [*rows, variables.Row("", "", "text")], "error": reasons.get(variables.TEXT, "")}


@blueprint.post("/workflows/<slug>/alerts")
def add_alert(slug: str) -> Response:
    """Make an alert."""
    known = tabs.known_of(slug)
    try:
        alerts.add(frame.actor(), known, **_given_alert())
    except (NotAllowed, NotFound):
        raise
    except ConsoleError as error:
        return _page(known, error, of="alert")
    flash("The alert is set")
    return frame.redirect_to(tabs.address(known.slug, "/configuration") + "#alerts")


@blueprint.post("/workflows/<slug>/alerts/<alert_id>")
def change_alert(slug: str, alert_id: str) -> Response:
    """Change an alert."""
    known = tabs.known_of(slug)
    try:
        alerts.change(frame.actor(), known, alert_id, **_given_alert(), seen=request.form.get("drawn"))
    except NotAllowed:
        raise
    except ConsoleError as error:
        if isinstance(error, Conflict):
            reason = (
                "It stands above as it is now; what you entered is here. Save again to put it in its place."
            )
            error.details = [{"field": "", "reason": reason}]
        elif isinstance(error, NotFound):
            error.details = [{"field": "", "reason": "What you entered is here, to be set as a new one."}]
        return _page(known, error, of="alert", edited=alert_id)
    flash("The alert is changed")
    return frame.redirect_to(tabs.address(known.slug, "/configuration") + "#alerts")


def _given_alert() -> dict[str, Any]:
    form, minutes = request.form, request.form.get("minutes", "").strip()
    return {
        "kind": form.get("kind", ""),
        "minutes": int(minutes)
        if minutes.isascii() and minutes.isdigit() and len(minutes) < 8
        else 0
        if minutes
        else None,
        "pattern": form.get("pattern", ""),
        "people": form.getlist("people"),
        "mail": form.get("mail") is not None,
        "starts": form.get("starts", ""),
    }


@blueprint.post("/workflows/<slug>/alerts/<alert_id>/remove")
def remove_alert(slug: str, alert_id: str) -> Response:
    """Take an alert away."""
    known = tabs.known_of(slug)
    alerts.remove(frame.actor(), known, alert_id)
    return frame.redirect_to(tabs.address(known.slug, "/configuration") + "#alerts")


def _given() -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return the settings of the form and what is wrong with them; an empty number is the usual one."""
    found: dict[str, Any] = {}
    wrong = []
    for number in NUMBERS:
        text = request.form.get(number.name, "").strip()
        try:
            found[number.name] = number.read(text) if text else None
        except ValueError:
            wrong.append(
                {
                    "field": number.name,
                    "reason": f"{number.label}: a {'whole ' if number.of == 1 else ''}number.",
                }
            )
    on_error = request.form.get("on_error")
    found |= {"inbox": request.form["inbox"] or None} if "inbox" in request.form else {}
    if "places" in request.form:
        found["hidden_in"] = [place for place, _ in PLACES if place not in request.form.getlist("offered")]
    if "segments" in request.form:
        found["only_in"] = request.form.getlist("only_in")
    return found | ({"on_error": on_error} if on_error else {}), wrong


def _drawn() -> dict[str, Any]:
    """Return the settings as the form showed them when it was drawn; none where it does not say."""
    try:
        return formats.object_in(request.form.get("drawn", "").encode("utf-8", "surrogatepass"))
    except Malformed:
        return {}


def _settings_now(known: Known) -> dict[str, Any]:
    return Settings.model_validate(
        workflows.definition(frame.actor(), known.id).get("settings") or {}
    ).model_dump()


def _told_meanwhile(error: ConsoleError, now: Mapping[str, str]) -> ConsoleError:
    """Say, where two changed the same, also what the other made of it: the field -> words such as `, to 7`."""
    if isinstance(error, Conflict):
        for detail in error.details:
            detail["reason"] = str(detail["reason"]).replace(
                "meanwhile.", f"meanwhile{now.get(str(detail['field']), '')}.", 1
            )
    return error


def _segments(collection: str | None, chosen: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Return the segments that runs may be restricted to, and what is chosen now although it is there no more."""
    try:
        known = (
            [(each["id"], each["label"]) for each in browse.describe(frame.actor(), collection)["segments"]]
            if collection
            else []
        )
    except NotFound:
        known = []
    gone = [
        (each, f"{each}, which is there no more or kept from you")
        for each in chosen
        if each not in dict(known)
    ]
    return [(each, label, each in chosen) for each, label in [*known, *gone]]


def _inboxes(team: str, chosen: str | None) -> list[tuple[str, str]]:
    """Return the inboxes that may be chosen: those of the team, and what is chosen now."""
    own = [(inbox.id, inbox.title) for inbox in inboxes.used_by(team)]
    return own if not chosen or chosen in dict(own) else [*own, (chosen, inboxes.title_of(chosen))]


def _account_name(email: str | None) -> str | None:
    """Return the name of the service account; None where the document names none, or one that is not there."""
    try:
        return accounts.person_of_email(email).name if email else None
    except NotFound:
        return None


def _alert_fields(rule: alerts.Rule, tellable: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the rule as its form shows it: whom it tells by their addresses, as far as they still may be told."""
    told = {address for address, _ in tellable if accounts.person_of_email(address).id in rule.people}
    return {
        "kind": rule.kind,
        "minutes": rule.minutes,
        "pattern": rule.pattern,
        "mail": rule.mail,
        "starts": rule.starts,
        "people": told,
    }


def _page(
    known: Known,
    wrong: ConsoleError | None = None,
    of: str = "settings",
    edited: str = "",
    shown: dict[str, Any] | None = None,
) -> Response:
    """Show the page. `of`: what was refused, settings, variables or an alert. `edited`: the id of the alert whose form is open; `shown`: the variables as they were typed."""
    who, obj = frame.actor(), f"{OBJECT}:{known.slug}"
    team = known.team or None
    document = workflows.definition(who, known.id)
    settings: Mapping[str, Any] = Settings.model_validate(document.get("settings") or {}).model_dump()
    usual = Settings.model_validate({}).model_dump() | (
        {"timeout_ms": HANDS_OFF_LIMIT_MS} if document.get("run_as") else {}
    )
    may_edit = access.can(who, team, obj, "edit") and (
        known.live is None or access.can(who, team, obj, "publish")
    )
    may_alert = access.can(who, team, obj, "activate")
    typed = request.form if request.method == "POST" and of == "settings" else None
    errors = refusals.reasons_by_field(wrong)
    seen = (
        {name: settings[name] for name in errors.keys() & settings.keys()}
        if isinstance(wrong, Conflict)
        else {}
    )
    rules = alerts.rules_of(known)
    names = accounts.names({person for rule in rules for person in rule.people})
    titles = {workflow.slug: workflow.title for workflow in workflows.all_known()}
    tellable = alerts.tellable(known) if may_alert else []
    rule_edited = next((rule for rule in rules if rule.id == edited), None) if may_alert else None
    filled = _alert_fields(rule_edited, tellable) if rule_edited is not None else {}
    context = tabs.context(known, "configuration") | {
        "drawn": json.dumps({**_drawn(), **seen} if typed and _drawn() else settings),
        "numbers": [
            {
                "name": number.name,
                "label": number.label,
                "help": number.help,
                "value": typed.get(number.name, "") if typed else number.shown(settings[number.name]),
                "usual": number.shown(usual[number.name]) or number.without,
                "error": errors.get(number.name),
            }
            for number in NUMBERS
        ],
        "first": FIRST,
        "limited": any(
            errors.get(number.name) or settings[number.name] != usual[number.name]
            for number in NUMBERS[FIRST:]
        ),
        "tables": _tables(workflows.readable(document)),
        "versions": diagrams.versions_of(known),
        "many_versions": SHOWN_VERSIONS,
        "on_error": typed.get("on_error") if typed else settings["on_error"],
        "on_errors": ON_ERROR,
        "places": [
            (place, words, place in typed.getlist("offered") if typed else place not in settings["hidden_in"])
            for place, words in PLACES
        ],
        "segments": _segments(known.collection, typed.getlist("only_in") if typed else settings["only_in"]),
        "segments_error": next((reason for field, reason in errors.items() if "only_in" in field), None),
        "owner": accounts.names({known.owner}).get(known.owner, "somebody who has left")
        if known.owner
        else None,
        "may_hand_over": workflows.ownership.may_hand_over(who, known),
        "inbox": typed.get("inbox") if typed else settings["inbox"],
        "inbox_error": errors.get("inbox") or errors.get("settings.inbox"),
        "inboxes": _inboxes(known.team, settings["inbox"]),
        "variables": shown or _shown(document, request.args.get("view", variables.FIELDS)),
        "types": variables.TYPES,
        "apart": variables.APART,
        "run_as": document.get("run_as"),
        "account": _account_name(document.get("run_as")),
        "secrets": next((page.url for page in area.pages_of(who) if page.name == "secrets"), None),
        "may_edit": may_edit,
        "wrong": wrong if of == "settings" else None,
        "wrong_variables": wrong if of == "variables" else None,
        "wrong_alert": wrong if of == "alert" else None,
        "alert_errors": errors if of == "alert" else {},
        "edited": rule_edited.id if rule_edited is not None else None,
        "alert_drawn": frame.drawn_from(rule_edited.terms, wrong if of == "alert" else None)
        if rule_edited is not None
        else None,
        "typed": request.form if of == "alert" else filled,
        "told": request.form.getlist("people") if of == "alert" else filled.get("people", ()),
        "tellable": tellable,
        "startable": [
            (each.slug, each.title)
            for each in alerts.startable(known)
            if access.can(who, each.team or None, f"{OBJECT}:{each.slug}", "see")
        ]
        if may_alert
        else (),
        "alerts": [
            {
                "rule": rule,
                "people": [names.get(person, "somebody who has left") for person in rule.people],
                "starts": titles.get(rule.starts or "", rule.starts),
            }
            for rule in rules
        ],
        "due": due_time.summary(known),
        "alert_kinds": alerts.KINDS.items(),
        "may_alert": may_alert,
        "mails": of_house.current().smtp is not None,
        "address": tabs.address,
    }
    return frame.page("workflows/configuration.html", context, error=wrong)


def _tables(document: Workflow) -> list[tuple[str, dict[str, Any]]]:
    """Return the policy tables by name, in words."""
    look, labels = frame.look(), spoken_values.labels_in(document)
    return [(name, _table(table, look, labels)) for name, table in sorted(document.tables.items())]


def _table(table: Table, look: formats.Look, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a policy table: its columns, keys first, and its rows in order."""
    columns = [column for key in table.keys for column in table.columns if column.name == key] + table.answers
    dated = any(row.get(VALID_FROM) for row in table.rows)
    return {
        "description": table.description,
        "columns": [column.label or column.name for column in columns] + (["Valid from"] if dated else []),
        "rows": [
            [_plain(row.get(column.name), labels) for column in columns]
            + ([_since(row.get(VALID_FROM), look)] if dated else [])
            for row in table.rows[:SHOWN_ROWS]
        ],
        "more": max(0, len(table.rows) - SHOWN_ROWS),
    }


def _since(day: str | None, look: formats.Look) -> str:
    return f"from {formats.text(DAY, day, look)}" if day else "since ever"


def _plain(value: Any, labels: Mapping[str, str]) -> str:
    """Return a value in words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(
            f"{formats.label_of(name) if name not in labels else labels[name]}: {_plain(each, labels)}"
            for name, each in value.items()
        )
    return formats.text(formats.undescribed("", value), _in_words(value, labels), formats.Look())


def _in_words(value: Any, labels: Mapping[str, str]) -> Any:
    """Return the value with codes of options as their labels, and other words of programs as words of people."""
    if isinstance(value, str):
        return labels.get(value) or formats.program_words(value)
    if isinstance(value, list):
        return [_in_words(each, labels) for each in value]
    return value
