"""`/settings/collections/<collection>/contacts`: which fields make its records people who can be written to or called, and where it stands who agreed."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, request

from console import records as real_records
from console.auth import access
from console.core.contacting import CHANNELS
from console.core.documents.collections import Collection, Field, Relation
from console.core.documents.collections.consent_places import USUAL, consents_relation
from console.core.documents.collections.contact_document import EVIDENCE, FIELDS, wrong_tables
from console.core.errors import ConsoleError, Invalid, NotFound, SourceDown, TooSlow
from console.messaging.contacts import likely_contacts
from console.messaging.imports import consent_columns
from console.messaging.messages import mapping_trial
from console.sources import collections
from console.sources.collections import Editing
from console.views import formats, frame
from console.views.forms import Button, Cell, Table
from console.views.settings import collection_frame

blueprint = Blueprint(
    "collection_contacts", __name__, url_prefix="/settings/collections/<collection>/contacts"
)
PARTS = {
    "name": ("Name", "Empty: the title of the record, as with first and last names in two columns"),
    "email": ("E-mail", ""),
    "phone": ("Telephone", ""),
    "country": ("Country", "For numbers without +, calling hours, and where no time zone is known"),
    "zone": ("Time zone", "Such as Europe/Vilnius. Empty: that of the country, or of the number"),
    "language": ("Language", ""),
    "stage": ("Stage", "A field with options: the columns of the board"),
    "owner": ("Whose contact it is", "By e-mail address, or the part before the @"),
    "do_not_contact": (
        "Never to be contacted",
        "A field that is yes for who is to be reached by no channel at all",
    ),
}
"""Part of a contact → its name on the page, and a hint."""
EVIDENCE_WORDS = {
    "source": "Where they agreed",
    "text_version": "Version of the text that they agreed to",
    "at": "When they agreed",
    "withdrawn_at": "When they took it back",
}
TABLE_WORDS = {"channel": "Column that names the channel", "state": "Column that says given or withdrawn"}


@blueprint.route("", methods=["GET", "POST"])
def show(collection: str) -> Response:
    """Show the mapping with what it comes to for the first records; a POST saves it in the draft, tries it, or takes it away."""
    editing = collection_frame.editing_of(collection)
    said: dict[str, Any] = editing.document.to_json().get("contact") or {}
    if request.method != "POST":
        return _form(editing, said or likely_contacts.likely(editing.becoming, _every()) or {})
    document, do = editing.document.to_json(), request.form.get("do", "")
    back = f"{collection_frame.url(collection)}/contacts"
    if do == "remove":
        document.pop("contact", None)
        return collection_frame.save(editing, document, lambda wrong: _form(editing, said, wrong), back)
    if do not in ("", "try"):
        raise NotFound
    sent = _sent(editing.becoming, said)
    document["contact"] = sent
    wrong = _wrong(editing, document)
    if do == "try" or wrong is not None:
        return _form(editing, sent, wrong)
    return collection_frame.save(editing, document, lambda wrong: _form(editing, sent, wrong), back)


def _wrong(editing: Editing, document: Mapping[str, Any]) -> Invalid | None:
    """Return what does not fit, also with the tables that consent stands in, which the draft itself does not ask for."""
    try:
        becoming = collections.preview(frame.actor(), editing.collection.id, document)
    except Invalid as wrong:
        return collection_frame.spoken(wrong, editing, document)
    spots = list(wrong_tables(becoming, _every()))
    return Invalid(spots[0].reason, details=[(spot.path, spot.reason) for spot in spots]) if spots else None


def _sent(becoming: Collection, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form says under `contact`. Columns of a place that was chosen before, and that the new one lacks, are left out."""
    made: dict[str, Any] = {part: name for part in FIELDS if (name := request.form.get(part, ""))}
    consent = {
        channel: entry
        for channel in CHANNELS
        if (entry := _sent_consent(becoming, channel, said.get("consent", {}).get(channel, {})))
    }
    return made | ({"consent": consent} if consent else {})


def _sent_consent(becoming: Collection, channel: str, former: Mapping[str, Any]) -> dict[str, Any] | None:
    place, _, name = request.form.get(f"consent.{channel}", "").partition(":")
    if place not in ("field", "table") or not name:
        return None
    relation = becoming.relation(name) if place == "table" else None
    same = (
        relation is not None
        and former.get("table")
        and consents_relation(becoming, former["table"]) == relation
    )
    there = _every().get(relation.collection) if relation is not None else becoming
    words = [word.strip() for word in request.form.get(f"{channel}.given", "").split(",") if word.strip()]
    parts = (*(("channel", "state") if place == "table" else ()), *EVIDENCE)
    columns = {
        part: value
        for part in parts
        if (value := request.form.get(f"{channel}.{part}", "")) and there and value in there.by_name
    }
    called = request.form.get(f"{channel}.is", "").strip() if place == "table" else ""
    entry: dict[str, Any] = {place: former["table"] if same else name, **columns}
    return entry | ({"is": called} if called else {}) | ({"given": words} if words else {})


# -- what the page draws


def _form(editing: Editing, said: Mapping[str, Any], wrong: ConsoleError | None = None) -> Response:
    own, every = editing.becoming, _every()
    tables = [
        (relation, every[relation.collection])
        for relation in own.relations
        if relation.kind == "to_many" and relation.collection in every
    ]
    trial, not_tried = (None, "") if wrong else _tried(editing, said)
    stored, may = (
        editing.document.to_json().get("contact"),
        access.can(frame.actor(), None, "source", "manage"),
    )
    channels = [_channel(own, channel, said, tables) for channel in CHANNELS]
    values = dict(said) | {f"consent.{each['id']}": each["place"] for each in channels}
    for each in channels:
        values |= {f"{each['id']}.{part}": told for part, told in each["entry"].items()}
        values[f"{each['id']}.given"] = ", ".join(each["entry"].get("given") or ())
    form = collection_frame.form(
        editing,
        [],
        values,
        _at_fields(wrong) if wrong else None,
        prefix="c-",
        submit="Save draft" if may else "Try it",
        do="" if may else "try",
        buttons=[
            *([Button("They are no contacts", "remove", "trash", "danger")] if stored and may else []),
            *([Button("Try it", "try", "eye")] if may else []),
        ],
        more={"data-touched": ""} if request.method == "POST" and said != (stored or {}) else {},
    )
    heads = (own.label_one, "E-mail", "Telephone", "Time zone", "Agreed to")
    context = {
        "form": form,
        "stored": stored,
        "offered": bool(said) and not stored and request.method != "POST",
        "parts": PARTS,
        "options": {part: _options(own, part, said.get(part)) for part in PARTS},
        "tables": [(f"table:{relation.name}", relation.label) for relation, _ in tables],
        "channels": channels,
        "evidence": EVIDENCE_WORDS,
        "table_words": TABLE_WORDS,
        "trial": trial,
        "examples": Table(
            "The first records as contacts", heads, [_example(own, each) for each in trial.examples]
        )
        if trial
        else None,
        "not_tried": not_tried,
        "names_of_channels": consent_columns.NAMES,
        "may": may,
    }
    return collection_frame.page("collection_contacts.html", editing, context, wrong, heading="Contacts")


def _example(own: Collection, each: mapping_trial.Example) -> tuple[Any, ...]:
    agreed = (
        "Never to be contacted"
        if each.closed
        else ", ".join(consent_columns.NAMES[channel] for channel in each.agreed) or "Nothing"
    )
    zones = "; ".join(formats.zone_words(zone, frame.look()) for zone in each.zones)
    return (
        Cell(each.title, frame.record_url(own.id, each.key)),
        each.email or "",
        each.phone or "",
        zones,
        agreed,
    )


def _at_fields(wrong: ConsoleError) -> Invalid:
    """Return the refusal by the fields of the form; what is said of the whole mapping stands at its first field."""
    details = []
    for detail in wrong.details:
        place = str(detail.get("field", "")).removeprefix("contact.consent.").removeprefix("contact.")
        channel, _, part = place.partition(".")
        name = {"contact": "name"}.get(place, f"consent.{channel}" if part in ("field", "table") else place)
        details.append({"field": name, "reason": detail.get("reason", "")})
    return Invalid(wrong.message, details=details)


def _every() -> dict[str, Collection]:
    return {item.id: item for item in real_records.collections()}


def _options(own: Collection, part: str, chosen: str | None) -> list[tuple[str, str]]:
    """Return name and label of the fields that can be this part."""
    return _with_chosen(
        [item for item in own.stored_fields if not item.hidden and (part != "stage" or item.options)],
        own,
        chosen,
    )


def _with_chosen(fitting: Iterable[Field], there: Collection, *chosen: str | None) -> list[tuple[str, str]]:
    """Return name and label of the fields, and of what was chosen though it does not fit any more: it is left out by somebody, not by the page."""
    names = {item.name: item.label for item in fitting}
    for name in chosen:
        if name and name not in names:
            names[name] = f"{there.by_name[name].label}, hidden" if name in there.by_name else f"{name}, gone"
    return list(names.items())


def _channel(
    own: Collection, channel: str, said: Mapping[str, Any], tables: list[tuple[Relation, Collection]]
) -> dict[str, Any]:
    """Return what is drawn of the consent to one channel: its place, and the columns that can be named there."""
    entry = said.get("consent", {}).get(channel, {})
    relation = consents_relation(own, entry["table"]) if entry.get("table") else None
    there = (
        next((other for each, other in tables if each == relation), None)
        if relation is not None
        else own
        if entry.get("field")
        else None
    )
    shown = [item for item in there.stored_fields if not item.hidden] if there else []
    usual = (
        {
            part: next((there.by_name[name].label for name in USUAL[part] if name in there.by_name), "")
            for part in USUAL
        }
        if there and relation
        else {}
    )
    return {
        "id": channel,
        "entry": entry,
        "place": f"table:{relation.name}"
        if relation
        else f"field:{entry['field']}"
        if entry.get("field")
        else "",
        "columns": _with_chosen(shown, there, *(entry.get(part) for part in (*USUAL, "field")))
        if there
        else [],
        "fields": [(f"field:{name}", words) for name, words in _options(own, channel, entry.get("field"))],
        "usual": usual,
        "of_table": relation is not None,
        "open": any(name not in ("field", "table") for name in entry),
    }


def _tried(editing: Editing, said: Mapping[str, Any]) -> tuple[mapping_trial.MappingTrial | None, str]:
    """Return the trial of what the form says, and why there is none."""
    if not said:
        return None, ""
    document = {**editing.document.to_json(), "contact": dict(said)}
    try:
        trial = mapping_trial.try_mapping(
            frame.actor(), collections.preview(frame.actor(), editing.collection.id, document)
        )
    except Invalid as wrong:
        return None, str(wrong.details[0]["reason"] if wrong.details else wrong.message)
    except (SourceDown, TooSlow) as error:
        return None, error.message
    return (
        trial,
        ""
        if trial
        else f"You may not see records of {editing.becoming.label}, so that it cannot be tried by you.",
    )
