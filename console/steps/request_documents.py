"""Request documents: somebody without an account uploads them through a personal link; the run waits for that."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions, media
from console.core.document_letters import OUTSIDE
from console.core.documents import field_expressions, fields as definitions
from console.core.documents.document_parts import NAME_PATTERN, Help, Said
from console.core.documents.fields import Definition, FieldDefinition, Located, condition_holds
from console.core.errors import Invalid
from console.core.forms import FormField, Wrong, cleaned, examine, is_empty, missing_message, refusal
from console.core.run.step_requests import Awaited
from console.core.speaking import fill_text
from console.infra.db.ids import new_id
from console.steps.base import (
    AsksPerson,
    Completion,
    Context,
    FormNeeded,
    Option,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    Withheld,
    fill_template,
    require_right,
)
from console.steps.filled_text import bullets

RECEIVED, EXPIRED, SEND = "received", "expired", "write"
TO, SENDER, REASON = "to", "sender", "reason"
UNSENT, CAME, THEIRS = "unsent", "came", "theirs"
"""`unsent`: field → what was typed outside and not sent off. `came`: document → files that came before somebody stopped waiting. `theirs`: field → what
stands in the page from the round before, typed by whom it is sent to."""
WITHOUT = "Continue without"
LANGUAGES = tuple(OUTSIDE)
MOST_WANTED = 30
NO_RECORDS = "The page outside does not ask for it, because whoever has the link may see no records: ask for a text, or name the choices as options."
EMPHASIS = re.compile(r"(\*\*|__)(\S.*?)\1")  # a letter is plain text


class Wanted(Definition):
    """A requested document."""

    id: str = Field(
        pattern=NAME_PATTERN, description="Found later as `steps.<id of the step>.documents.<id>`"
    )
    label: str = Field(
        min_length=1, max_length=200, description="What it is called in the letter and on the page"
    )
    required: bool = Field(True, description="Without it nothing can be sent off")
    required_if: str | None = Field(None, description="Expression; where it holds it is needed")
    if_: str | None = Field(
        None, alias="if", description="Expression; where it does not hold the document is not asked for"
    )
    types: list[media.FileKind] | None = Field(
        None, min_length=1, description="Kinds of files that are taken; none: PDF, PNG and JPEG"
    )
    many: bool = Field(False, description="Several files are fine")
    help: Help | None = Field(
        None, description="Said below it, such as how old it may be; {{ expressions }} are filled in"
    )


class TranslatedLetter(Definition):
    """The letter in another language."""

    language: str = Field(pattern=r"^[a-z]{2}$", description="Two letters, such as de")
    subject: str = Field(
        min_length=1, max_length=200, description="Of the letter; {{ expressions }} are filled in"
    )
    text: str = Field(
        min_length=1,
        max_length=10_000,
        description="Of the letter and the page; {{ expressions }} are filled in",
    )


class RequestDocumentsConfig(StepConfig):
    """The documents, the addressee and the time limit."""

    documents: list[Wanted] = Field(
        default_factory=list, max_length=MOST_WANTED, description="Documents, in the order shown"
    )
    also: str | None = Field(
        None,
        description="Expression for further documents: a list of texts, or of objects with id and label, all of them needed",
    )
    form: list[FieldDefinition] = Field(
        default_factory=list, max_length=40, description="Further fields of the page outside"
    )
    to: str = Field(
        description="Expression for the mail address; where it comes to none, a person is asked for it"
    )
    name: str | None = Field(None, description="Expression for how the letter addresses them")
    subject: str = Field(
        "Documents needed",
        min_length=1,
        max_length=200,
        description="Of the letter; {{ expressions }} are filled in",
    )
    text: str = Field(
        min_length=1,
        max_length=10_000,
        description="Of the letter and the page: Markdown, {{ expressions }} filled in. The link is added below it",
    )
    language: str = Field(
        "en", description=f"Of the page's own words: {', '.join(LANGUAGES)}, or an expression for it"
    )
    translations: list[TranslatedLetter] = Field(
        default_factory=list,
        max_length=30,
        description="Subject and text in other languages; where there is none in theirs, those above are sent",
    )
    days: int = Field(21, ge=1, le=366, description="Until when the link works")
    remind_after_days: list[int] = Field(
        default=[5, 12], max_length=5, description="Days after which a reminder goes out"
    )
    asks_first: bool = Field(
        False,
        description="A person sees letter and address before it goes out, and may hand in what came another way instead",
    )
    by_hand: str | None = Field(
        None,
        description="Expression; where it holds nobody is written to: a person hands in what came another way",
    )
    without_if: str | None = Field(
        None,
        description="Expression; a person may go on without the documents only where it holds; none: always",
    )
    why_not: Said | None = Field(
        None, description="Sentence shown where nobody may go on without; {{ expressions }} are filled in"
    )
    rounds: int = Field(3, ge=1, le=10, description="How many links may be made, the first one included")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.documents and self.also is None and not self.form:
            raise ValueError("nothing is asked for: name documents, or fields of a form")
        names = [*(entry.id for entry in self.documents), *(entry.name for entry in self.form)]
        if (self.without_if is None) != (self.why_not is None):
            raise ValueError(
                "without_if and why_not belong together: whoever may not go on without is told why"
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"more than one document or field is named {', '.join(twice)}")
        if taken := sorted({*names} & {TO, SENDER, REASON}):
            raise ValueError(f"the step itself has {', '.join(taken)}: choose another name")
        if late := [day for day in self.remind_after_days if not 0 < day < self.days]:
            raise ValueError(
                f"a reminder after {late[0]} days would not come before the link ends, after {self.days}"
            )
        if files := [entry.name for entry in self.form if entry.type in definitions.HANDED_IN]:
            raise ValueError(f"files belong among the documents: {', '.join(files)}")
        return self


class RequestDocuments(StepType):
    """Automatic: writes to an address and waits for `received` or `expired`. Else a person enters the address, or uploads documents that came another way."""

    name, title, family, icon = "request_documents", "Request documents", "action", "mail"
    gist = "Somebody outside hands in documents by a link"
    waits = by_others = True
    own_values = True
    Config: ClassVar[type[StepConfig]] = RequestDocumentsConfig
    always_changes = True
    computes, texts = ("to", "name", "also", "by_hand", "without_if"), ("subject", "text", "why_not")

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Unless the address is missing, or a person has to check the letter first."""
        return not settings.get("asks_first")

    def doubts(self, config: RequestDocumentsConfig) -> list[tuple[str, str]]:
        """References, which are asked of people of the house alone."""
        records = [
            (f"form[{place}].type", NO_RECORDS)
            for place, entry in enumerate(config.form)
            if entry.type == "reference"
        ]
        return [*super().doubts(config), *records]

    def asks(self, config: RequestDocumentsConfig) -> bool:
        """Where a person has to check the letter first."""
        return config.asks_first

    def outcomes(self, config: RequestDocumentsConfig) -> tuple[str, ...]:
        """`received` and `expired`."""
        return (RECEIVED, EXPIRED)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Sends the request and waits. Raises AsksPerson where there is no address, FormNeeded where the documents came another way."""
        if _came_another_way(step, context):
            raise FormNeeded("What was asked for came another way: hand it in.")
        found = expressions.parse(step.config.to).evaluate(context.roots)
        try:
            address = cleaned(FormField(TO, "Address", "email"), found)
        except Wrong:
            address = None
        if not address:
            raise AsksPerson(
                "There is no mail address to write to. Enter one, or hand in what came another way.",
                code="no_address",
            )
        return _ask(step, context, str(address))

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form to write (again), or to upload documents."""
        wanted = wanted_of(step.config, context.roots)
        by_hand = (SENDER, *(entry["id"] for entry in wanted), *(entry.name for entry in step.config.form))
        options: tuple[Option, ...] = (
            Option(SEND, "Write to them", (TO,), (TO,)),
            Option(RECEIVED, "Hand in what came another way", by_hand, (SENDER,)),
            Option(EXPIRED, WITHOUT, (REASON,), (REASON,)),
        )
        refused = why_not_without(step.config, context)
        withheld = (Withheld(EXPIRED, WITHOUT, refused),) if refused else ()
        options = options[:2] if refused else options
        fields = [field for field in _by_hand(step, context) if field.name != REASON or not refused]
        documents = bullets(
            entry["label"] if entry["required"] else f"{entry['label']}, where there is one"
            for entry in wanted
        )
        if _came_another_way(step, context):
            text = "Nobody is written to."
            text += f" These documents are needed:\n\n{documents}" if documents else ""
            fields, options = fields[1:], options[1:]
        else:
            text = fill_template(_letter(step.config, context.roots).text, context.roots)
            text += f"\n\nThe letter asks for:\n\n{documents}" if documents else ""
        return Prompt(
            text, fields=tuple(fields), outcomes=options, button=step.button or "Continue", withheld=withheld
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """What the person chose. Raises Invalid with one detail per wrong field."""
        fields = _by_hand(step, context)
        without = why_not_without(step.config, context) if outcome == EXPIRED else None
        if (
            outcome not in (SEND, RECEIVED, EXPIRED)
            or without
            or (outcome == SEND and _came_another_way(step, context))
        ):
            strange = [
                detail
                for detail in examine(fields, submitted)[1]
                if detail["field"] not in {field.name for field in fields}
            ]
            named = ", ".join(f"“{option.label}”" for option in self.prepare(step, context).outcomes)
            why = f" {without}" if without else ""
            raise refusal([{"field": "outcome", "reason": f"Choose one of {named}.{why}"}, *strange])
        own = {SEND: {TO}, EXPIRED: {REASON}}.get(outcome, {field.name for field in fields} - {TO, REASON})
        there = [field for field in fields if field.name in own]
        known = {field.name for field in fields}
        columns = [field for field in there if field.name not in {entry.name for entry in step.config.form}]
        # What somebody else wrote is entered as it came: its rules are for the one who types it on the page of the request.
        form = (
            [entry.model_copy(update={"must": []}) for entry in step.config.form]
            if outcome == RECEIVED
            else []
        )
        typed = {name: value for name, value in submitted.items() if name in own or name not in known}
        values, details = definitions.submitted_values(
            form, context.roots, context.former, step.id, typed, columns
        )
        needed = {SEND: TO, RECEIVED: SENDER, EXPIRED: REASON}[outcome]
        if is_empty(values.get(needed)) and needed not in {detail["field"] for detail in details}:
            details.append(
                {
                    "field": needed,
                    "reason": missing_message(next(field for field in there if field.name == needed)),
                }
            )
        require_right(context, details)
        if outcome == SEND:
            return _ask(step, context, str(values[TO] or ""))
        wanted = wanted_of(step.config, context.roots)
        if outcome == EXPIRED:
            return Completion(outcome, values, _half_done(step, context, wanted) | {REASON: values[REASON]})
        papers = {entry["id"]: values.pop(entry["id"], []) or [] for entry in wanted}
        files = came(
            wanted,
            papers,
            {entry.name: values.get(entry.name) for entry in step.config.form},
            values.get(SENDER),
        )
        return Completion(outcome, {**values, **{name: kept for name, kept in papers.items() if kept}}, files)

    def expressions(self, config: RequestDocumentsConfig) -> list[Located]:
        """The address, the name, further documents, conditions, and those of the form."""
        found = super().expressions(config)
        for number, entry in enumerate(config.documents):
            named = (("if", entry.if_), ("required_if", entry.required_if))
            found += [
                Located(f"documents[{number}].{name}", text) for name, text in named if text is not None
            ]
        found += [Located("language", config.language)] if config.language not in LANGUAGES else []
        return found + field_expressions.texts_of_definitions("form", config.form)

    def templates(self, config: RequestDocumentsConfig) -> list[Located]:
        """The letter in each language, and what it says of each document."""
        translated = [
            Located(f"translations[{number}].{name}", getattr(each, name))
            for number, each in enumerate(config.translations)
            for name in ("subject", "text")
        ]
        return (
            super().templates(config)
            + translated
            + [
                Located(f"documents[{number}].help", entry.help)
                for number, entry in enumerate(config.documents)
                if entry.help
            ]
        )

    def outputs(self, config: RequestDocumentsConfig) -> frozenset[str]:
        """Received and missing documents, the files by document, the sender, the fields of the form, what was typed into them and not sent off, and why
        somebody went on without.
        """
        names = definitions.names_of(config.form)
        return frozenset(
            [
                "received",
                "lacking",
                "documents",
                "sender",
                REASON,
                UNSENT,
                *names,
                *(f"{UNSENT}.{name}" for name in names),
            ]
        )


def wanted_of(config: RequestDocumentsConfig, roots: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The documents to request now: `{"id", "label", "required", "types", "many", "help"}`."""
    made = [
        {
            "id": entry.id,
            "label": entry.label,
            "required": entry.required
            if entry.required_if is None
            else condition_holds(entry.required_if, roots),
            "types": list(entry.types or media.USUAL),
            "many": entry.many,
            "help": entry.help and fill_text(entry.help, roots),
        }
        for entry in config.documents
        if condition_holds(entry.if_, roots)
    ]
    further = expressions.parse(config.also).evaluate(roots) if config.also else []
    for number, item in enumerate(
        (further if isinstance(further, list) else [])[: MOST_WANTED - len(made)], 1
    ):
        label = (
            str(item.get("label") or item.get("id") or "") if isinstance(item, Mapping) else str(item or "")
        )
        name = str(item.get("id") or "") if isinstance(item, Mapping) else label
        plain = (
            "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name.lower())[
                :40
            ].strip("_")
            or f"document_{number}"
        )
        if label and plain not in {entry["id"] for entry in made}:
            made.append(
                {
                    "id": plain,
                    "label": _worded(label),
                    "required": True,
                    "types": list(media.USUAL),
                    "many": True,
                    "help": None,
                }
            )
    return made


def _worded(label: str) -> str:
    """`proof_of_address` as `Proof of address`."""
    words = label.replace("_", " ")[:200]
    return words[:1].upper() + words[1:]


def came(
    wanted: list[dict[str, Any]], papers: Mapping[str, Any], form: Mapping[str, Any], sender: str | None
) -> Values:
    """The output: ids of received and missing documents, the files, the fields of the form, and the sender."""
    there = [entry["id"] for entry in wanted if papers.get(entry["id"])]
    lacking = [entry["id"] for entry in wanted if entry["required"] and entry["id"] not in there]
    documents = {entry["id"]: _listed(papers.get(entry["id"])) for entry in wanted}
    return {**form, "received": there, "lacking": lacking, "documents": documents, "sender": sender}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value] if value else []


def _half_done(step: StepView, context: Context, wanted: list[dict[str, Any]]) -> Values:
    """The output where somebody goes on without: what had come and was typed until they stopped waiting is kept, as when the time is over."""
    unsent = context.former.get(UNSENT) or {}
    output = came(
        wanted,
        context.former.get(CAME) or {},
        {entry.name: None for entry in step.config.form},
        context.former.get(TO) if unsent else None,
    )
    return output | {UNSENT: unsent}


def _ask(step: StepView, context: Context, address: str) -> Completion:
    """The request, which the run waits for. Raises Invalid where no document is left to request."""
    config: RequestDocumentsConfig = step.config
    wanted = wanted_of(config, context.roots)
    theirs = _typed_before(step, context, address)
    fields = definitions.fields_with_values(config.form, context.roots, theirs, step.id)
    ibans = {entry.name for entry in config.form if entry.is_iban}
    if not wanted and not fields:
        return Completion(RECEIVED, {}, came([], {}, {}, None))
    language, letter = _language(config, context.roots), _letter(config, context.roots)
    name = expressions.parse(config.name).evaluate(context.roots) if config.name else None
    request = {
        "to": address,
        "name": str(name) if name else None,
        "subject": " ".join(fill_text(letter.subject, context.roots).split())[:200],
        "text": fill_template(letter.text, context.roots, links=False),
        "letter": EMPHASIS.sub(r"\2", fill_text(letter.text, context.roots)),
        "language": language if language in LANGUAGES else "en",
        "documents": wanted,
        "form": [field.to_json() | ({"widget": "iban"} if field.name in ibans else {}) for field in fields],
        THEIRS: theirs,
        "days": config.days,
        "remind_after_days": sorted(set(config.remind_after_days)),
        "rounds": config.rounds,
    }
    nothing = came(wanted, {}, {field.name: None for field in fields}, None)
    awaited = Awaited("documents", new_id("req"), request={"to": address, "documents": wanted})
    return Completion(RECEIVED, {"to": address, "request": request}, nothing, awaits=awaited)


def _language(config: RequestDocumentsConfig, roots: Mapping[str, Any]) -> Any:
    return (
        config.language
        if config.language in LANGUAGES
        else expressions.parse(config.language).evaluate(roots)
    )


def _letter(
    config: RequestDocumentsConfig, roots: Mapping[str, Any]
) -> RequestDocumentsConfig | TranslatedLetter:
    """Subject and text in their language, else the usual ones."""
    language = _language(config, roots) if config.translations else None
    return next((each for each in config.translations if each.language == language), config)


def _typed_before(step: StepView, context: Context, address: str | None = None) -> dict[str, Any]:
    """What was typed into the page of the round before, and not sent off. Outside it is shown to the address alone that it came from."""
    before = context.roots.get("steps", {}).get(step.id) or {}
    if UNSENT in context.former:  # somebody stopped waiting
        before = {UNSENT: context.former[UNSENT], SENDER: context.former.get(TO)}
    return dict(before.get(UNSENT) or {}) if address in (None, before.get(SENDER)) else {}


def why_not_without(config: RequestDocumentsConfig, context: Context) -> str | None:
    """Why the person may not go on without the documents; None where they may."""
    return (
        fill_text(config.why_not, context.roots)
        if config.why_not and not condition_holds(config.without_if, context.roots)
        else None
    )


def _came_another_way(step: StepView, context: Context) -> bool:
    return step.config.by_hand is not None and condition_holds(step.config.by_hand, context.roots)


def _by_hand(step: StepView, context: Context) -> list[FormField]:
    """The fields for a person: the address, or the documents that came another way."""
    config: RequestDocumentsConfig = step.config
    try:
        address = cleaned(
            FormField(TO, "", "email"),
            context.former.get(TO) or expressions.parse(config.to).evaluate(context.roots),
        )
    except (Wrong, Invalid):
        address = None
    papers = [
        FormField(
            entry["id"],
            entry["label"],
            "files",
            options={"types": entry["types"]},
            value=list((context.former.get(CAME) or {}).get(entry["id"], [])),
            max=None if entry["many"] else 1,
            help=entry["help"],
        )
        for entry in wanted_of(config, context.roots)
    ]
    return [
        FormField(TO, "Mail address", "email", value=address),
        FormField(
            SENDER,
            "Who sent it, and how",
            max_length=200,
            value=context.former.get(SENDER),
            help="Such as: by mail from anna@example.org, 12 May",
        ),
        *papers,
        *definitions.fields_with_values(
            config.form, context.roots, {**_typed_before(step, context), **context.former}, step.id
        ),
        FormField(REASON, "Why without", "long_text", max_length=2000),
    ]
