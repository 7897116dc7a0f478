"""E-mail: a message to somebody outside. It leaves by itself, or a person reads its draft, changes it and sends it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, Field, model_validator

from console.core import expressions
from console.core.documents.action_document import ApprovalRule
from console.core.documents.approval_rules import approval_notes, required_approval
from console.core.documents.fields import Definition, Located, with_own
from console.core.forms import FormField, examine, is_empty, missing_message
from console.core.origins import SAID
from console.core.plain_words import humanised
from console.steps.base import (
    Completion,
    Context,
    FormNeeded,
    Option,
    Prompt,
    StepConfig,
    StepView,
    Values,
    fill_template,
    require_right,
)
from console.steps.email_draft import (
    Draft,
    Template,
    as_markdown,
    changed_figures,
    choose,
    draft_of,
    edited_percent,
    gaps,
    language_name,
    with_paragraph,
)
from console.steps.filled_text import at_a_glance
from console.steps.message_settings import (
    REASON,
    SEND,
    SENT,
    SKIPPED,
    TO,
    MessageConfig,
    MessageStep,
    filled_markdown,
    one_line,
)
from console.steps.proposable import Proposable, of_form

LONGEST_SUBJECT, LONGEST_TEXT, LONGEST_PARAGRAPH = 200, 50_000, 1_000
LETTER = "letter"
"""Widget of a text that is sent, and not a reason for anything."""
SUBJECT, TEXT, PARAGRAPH = "subject", "text", "paragraph"
DRAFTED = frozenset({SUBJECT, TEXT, "changed_figures"})
PERSON, REACHED = "person", "reached"


def _language(code: str) -> str:
    try:
        Locale(code)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"takes the two letters of a language, such as de: {code} is none") from error
    return code


Language = Annotated[str, Field(pattern=r"^[a-z]{2}$"), AfterValidator(_language)]


class Translation(Definition):
    """The e-mail in another language."""

    language: Language = Field(description="Two letters, such as de")
    subject: str = Field(
        min_length=1, max_length=500, description="The subject; {{ expressions }} are filled in"
    )
    body: str = Field(
        min_length=1, max_length=LONGEST_TEXT, description="The text; {{ expressions }} are filled in"
    )


class EmailConfig(MessageConfig):
    """Subject and text, in which languages, and who sends it."""

    subject: str = Field(
        min_length=1, max_length=500, description="The subject; {{ expressions }} are filled in"
    )
    body: str = Field(
        min_length=1,
        max_length=LONGEST_TEXT,
        description="Markdown: the text, sent as plain text and as HTML; {{ expressions }} are filled in",
    )
    by: Literal["itself", "person"] = Field(
        "itself",
        description="person: somebody reads the draft as plain text, changes it, and sends it or not",
    )
    written_in: Language = Field("en", description="Language of subject and text, such as en")
    language: str | None = Field(
        None,
        description="Expression for the language of the recipient, such as de; none: always the same text",
    )
    translations: list[Translation] = Field(
        default_factory=list,
        max_length=30,
        description="The e-mail in other languages; where there is none in theirs, subject and text above are sent",
    )
    note: str | None = Field(
        None,
        max_length=20_000,
        description="Markdown above the draft, for the person who sends it; {{ expressions }} are filled in",
    )
    paragraph: bool = Field(
        False,
        description="The person may add a paragraph, which a model may propose; all figures come from the run",
    )
    approval: list[ApprovalRule] = Field(
        default_factory=list,
        max_length=10,
        description="When others have to approve it before it leaves, and who; rules find `steps.<id>.edited` and `.to`",
    )
    reply_to: str | None = Field(
        None, max_length=320, description="Address that answers go to; none: the console's sender"
    )

    @model_validator(mode="before")
    @classmethod
    def _without_opening(cls, given: Any) -> Any:
        """Leave out `notices_opening`, which documents of earlier releases hold: it has no effect any more."""
        return (
            {name: value for name, value in given.items() if name != "notices_opening"}
            if isinstance(given, Mapping)
            else given
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        spoken = [self.written_in, *(each.language for each in self.translations)]
        if twice := sorted({each for each in spoken if spoken.count(each) > 1}):
            raise ValueError(f"there is more than one text in {', '.join(twice)}")
        if self.translations and self.language is None:
            raise ValueError("translations need language, the expression that says which one is theirs")
        if self.by != PERSON and (self.note or self.paragraph or self.approval):
            raise ValueError(
                "note, paragraph and approval are for an e-mail that a person sends: set by to person"
            )
        return self

    @property
    def templates(self) -> list[Template]:
        """The texts, the one that is sent where none fits first."""
        own = Template(self.written_in, self.subject, self.body)
        return [own, *(Template(each.language, each.subject, each.body) for each in self.translations)]


class _Letter:
    """What the rules of approval are about: the step, and what it sends."""

    def __init__(self, step: StepView) -> None:
        self.id, self.approval = step.id, step.config.approval


class Email(MessageStep):
    """Automatic, or sent by a person. Outcomes `sent`, `skipped`, and where the document names them `expired` and `failed`. Output `{"status", "message", "to", "reason"}`.

    Sent by a person the output also has `subject`, `text`, `language`, `edited` (percent of the draft that was changed) and `changed_figures`.
    """

    name, title, icon = "email", "E-mail", "mail"
    gist = "Writes to somebody outside"
    channel, consent = "email", "email"
    ai = True
    own_values = True
    Config: ClassVar[type[StepConfig]] = EmailConfig
    computes = ("to", "language")

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Unless a person sends it."""
        return settings.get("by") != PERSON

    def asks(self, config: EmailConfig) -> bool:
        """Where a person sends it."""
        return config.by == PERSON

    def outputs(self, config: EmailConfig) -> frozenset[str]:
        """What came of it; sent by a person also what was sent and what they changed."""
        sent = {SUBJECT, TEXT, "language", "edited", "changed_figures", "why"}
        return self.leaves | (sent if config.by == PERSON else set())

    def says(self, config: EmailConfig) -> str:
        """Its subject."""
        return at_a_glance(config.subject)

    def form_settings(self, settings: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Without what only an e-mail by a person has."""
        if settings.get("by") == PERSON:
            return None
        return tuple(name for name in EmailConfig.model_fields if name not in ("note", PARAGRAPH, "approval"))

    def doubts(self, config: EmailConfig) -> list[tuple[str, str]]:
        """A language that has one text, and links to a place that a value names."""
        texts = [("body", config.body)]
        texts += [(f"translations[{at}].body", each.body) for at, each in enumerate(config.translations)]
        why = "A value of the run says where this link leads, so that it may be anywhere: write the address itself."
        links = [(place, why) for place, text in texts if _leads_anywhere(text)]
        alone = "There is a text in one language only: add translations."
        return [
            *super().doubts(config),
            *([("language", alone)] if config.language and not config.translations else []),
            *links,
        ]

    def templates(self, config: EmailConfig) -> list[Located]:
        """Subject and text in each language, the note, and why others have to approve."""
        written = [
            ("", config),
            *((f"translations[{at}].", each) for at, each in enumerate(config.translations)),
        ]
        drafts = [
            Located(f"{place}{name}", getattr(each, name))
            for place, each in written
            for name in ("subject", "body")
        ]
        why = [Located(f"approval[{at}].why", rule.why) for at, rule in enumerate(config.approval)]
        note = [Located("note", config.note)] if config.note is not None else []
        return [*drafts, *note, *why]

    def form_names(self, config: EmailConfig, names: frozenset[str]) -> frozenset[str]:
        """The draft of a person holds what the templates say."""
        return names | (DRAFTED if config.by == PERSON and SAID in names else frozenset())

    def chosen(self, outcome: str | None, output: Mapping[str, Any]) -> str | None:
        """What a person sent was chosen as such: its outcome is what became of it."""
        return SEND if outcome == SENT and "edited" in output else outcome

    def expressions(self, config: EmailConfig) -> list[Located]:
        """Address, language, and the conditions of the rules."""
        rules = [
            Located(f"approval[{at}].if", rule.if_)
            for at, rule in enumerate(config.approval)
            if rule.if_ is not None
        ]
        return [*super().expressions(config), *rules]

    def ai_fields(self, config: EmailConfig) -> tuple[str, ...]:
        """The paragraph: every other word and figure is the template's or the person's."""
        return (PARAGRAPH,) if config.by == PERSON and config.paragraph else ()

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """The paragraph, in which every number, day, link and address has to stand in a source."""
        checked = [
            FormField(field.name, field.label, "text", max_length=field.max_length, help=field.help)
            for field in prompt.fields
            if field.name == PARAGRAPH
        ]
        return of_form(checked)

    def _template(self, step: StepView, context: Context) -> tuple[Template, str | None]:
        """(the texts in the language of the recipient, the language that is lacking)."""
        config: EmailConfig = step.config
        wanted = expressions.parse(config.language).evaluate(context.roots) if config.language else None
        return choose(config.templates, wanted)

    def _draft(self, step: StepView, context: Context) -> Draft:
        return draft_of(*self._template(step, context), context.roots)

    def content(self, step: StepView, context: Context) -> dict[str, Any]:
        """Subject and text, in the language of the recipient."""
        config: EmailConfig = step.config
        template, _ = self._template(step, context)
        content = {
            "to": self.address(step, context),
            "subject": one_line(template.subject, context)[:LONGEST_SUBJECT],
            "text": filled_markdown(template.body, context),
        }
        content |= {"language": template.language} if config.language else {}
        return content | ({"reply_to": config.reply_to} if config.reply_to else {})

    def shown(
        self, content: Mapping[str, Any], context: Context, step: StepView
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """The text, with the subject beside it."""
        return str(content["text"]), (("Subject", str(content["subject"])),)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """As other messages do. Raises FormNeeded where a person sends it."""
        if step.config.by == PERSON:
            raise FormNeeded("Read the draft, then send it.")
        return super().complete_by_itself(step, context)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The draft in a form, and what a person may do with it."""
        if step.config.by != PERSON:
            return super().prepare(step, context)
        draft = self._draft(step, context)
        own = (TO, SUBJECT, TEXT, *([PARAGRAPH] if step.config.paragraph else []), REASON)
        written = language_name(draft.language)
        if draft.lacking is not None:
            written = f"There is no text in {language_name(draft.lacking)}: this one is in {written}"
        notes = [("Language", written)] if step.config.language else []
        notes += (
            [("Missing", ", ".join(lacking))] if (lacking := gaps(f"{draft.subject}\n{draft.text}")) else []
        )
        return Prompt(
            fill_template(step.config.note, context.roots) if step.config.note else None,
            fields=self._letter_fields(step, context, draft),
            outcomes=(
                Option(SEND, "Send", own),
                *(option for _, option in self._unsent(step)),
            ),
            chosen=SEND,
            button=step.button or "Send",
            notes=(*notes, *approval_notes(_Letter(step), context.roots)),
        )

    def _unsent(self, step: StepView) -> list[tuple[str, Option]]:
        """(outcome, option) of what else a person may do, where the document has a way for it."""
        ways = (
            (SENT, Option(REACHED, "It has reached them another way", (REASON,), (REASON,))),
            (SKIPPED, Option(SKIPPED, "Do not send", (REASON,), (REASON,))),
        )
        return [way for way in ways if way[0] in step.outcomes or "default" in step.outcomes]

    def _letter_fields(self, step: StepView, context: Context, draft: Draft) -> tuple[FormField, ...]:
        """The form: its values are those of an earlier attempt, else the draft."""
        config, former = step.config, context.former
        whence = f"From {_in_words(config.to, context)}." if config.to else self.to_empty + "."
        help_text = "Goes above the last paragraph. No figures, days or promises: the text above has them."
        fields = [
            FormField(TO, "To", "email", value=former.get(TO, self.address(step, context)), help=whence),
            FormField(
                SUBJECT,
                "Subject",
                value=former.get(SUBJECT, draft.subject[:LONGEST_SUBJECT]),
                max_length=LONGEST_SUBJECT,
            ),
            FormField(
                TEXT,
                "Text",
                "long_text",
                value=former.get(TEXT, draft.text),
                max_length=LONGEST_TEXT,
                widget=LETTER,
                lines=14,
            ),
        ]
        if config.paragraph:
            fields.append(
                FormField(
                    PARAGRAPH,
                    "Add a paragraph",
                    "long_text",
                    value=former.get(PARAGRAPH),
                    max_length=LONGEST_PARAGRAPH,
                    help=help_text,
                )
            )
        why = "Needed where a figure of the run is changed, or nothing is sent; kept in the log."
        fields.append(
            FormField(REASON, "Why", "long_text", value=former.get(REASON), max_length=2000, help=why)
        )
        return tuple(fields)

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """What the person chose; nothing chosen sends it. Raises Invalid with one detail per wrong field."""
        if step.config.by != PERSON:
            return super().complete(step, context, submitted, outcome)
        draft = self._draft(step, context)
        fields = self._letter_fields(step, context, draft)
        values, details = examine(fields, submitted)
        ways = {option.value: way for way, option in self._unsent(step)}
        if (outcome or SEND) != SEND and outcome not in ways:
            reason = f"Choose one of {', '.join([SEND, *ways])}."
            require_right(context, [{"field": "outcome", "reason": reason}, *details])
        if outcome in ways:
            if is_empty(values[REASON]):
                details.append({"field": REASON, "reason": "Say why in a few words; it is kept in the log."})
            require_right(context, details)
            way = ways[str(outcome)]
            return Completion(way, values, {"status": way, "reason": values[REASON], "to": values[TO]})
        return self._sent(step, context, draft, fields, values, details)

    def _sent(
        self,
        step: StepView,
        context: Context,
        draft: Draft,
        fields: tuple[FormField, ...],
        values: Values,
        details: list[dict[str, str]],
    ) -> Completion:
        """The message as the person leaves it, and who has to approve it."""
        wrong = {detail["field"] for detail in details}
        details += [
            {"field": field.name, "reason": missing_message(field)}
            for field in fields
            if field.name in (SUBJECT, TEXT) and field.name not in wrong and is_empty(values[field.name])
        ]
        subject = " ".join(str(values[SUBJECT] or "").split())
        text = with_paragraph(str(values[TEXT] or ""), str(values.get(PARAGRAPH) or ""))
        changed = changed_figures(draft, f"{subject}\n{text}")
        for name, written in ((SUBJECT, subject), (TEXT, text)):
            if lacking := gaps(written):
                details.append({"field": name, "reason": f"Write in what is missing: {', '.join(lacking)}."})
        if changed and is_empty(values[REASON]):
            details.append({"field": TEXT, "reason": _figures_words(changed)})
        require_right(context, details)
        output = {
            SUBJECT: subject,
            TEXT: text,
            "language": draft.language,
            "edited": edited_percent(draft, subject, text),
            "changed_figures": changed,
        } | ({"why": values[REASON]} if values[REASON] else {})
        to = {TO: values[TO]} if values[TO] else {TO: self.address(step, context)}
        given = {**to, SUBJECT: subject, TEXT: as_markdown(text), "language": draft.language}
        asked = self._asked(step, context, given)
        roots = with_own(context.roots, step.id, {**output, **to})
        shown = {TO: to[TO], SUBJECT: subject, TEXT: text}
        shown |= {REASON: values[REASON]} if values[REASON] else {}
        return Completion(
            asked.outcome,
            values,
            {**output, **(asked.output or {})},
            message=asked.message,
            approval=required_approval(_Letter(step), None, shown, roots),
        )


def _figures_words(changed: list[dict[str, Any]]) -> str:
    lost = ", ".join(f"“{each['run']}”" for each in changed)
    fresh = ", ".join(f"“{each}”" for each in changed[0]["text"])
    says = f" and the text says {fresh}" if fresh else ""
    return f"The run has {lost}{says}. Put it back, or say under “Why” what makes the difference."


def _in_words(expression: str, context: Context) -> str:
    """Where an address comes from: the field, and the step that read it."""
    path = next(iter(expressions.paths(expressions.parse(expression))), (expression,))
    whose = (
        context.titles.get(path[1], humanised(path[1])) if path[0] == "steps" and len(path) > 2 else "Record"
    )
    return f"“{whose}”: {humanised(path[-1])}"


def _leads_anywhere(text: str) -> bool:
    """Whether a link of the template has a value where its host stands."""
    parts = expressions.active_parts(text, {}) if "://" in text or "](" in text else []
    return any(
        isinstance(part, str) and not isinstance(after, str) and part.rstrip().endswith(("://", "]("))
        for part, after in pairwise(parts)
    )
