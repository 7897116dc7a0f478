"""Whether an action needs approval, by its rules and the values it would be done with."""

from collections.abc import Mapping
from typing import Any, Protocol

from console.core import expressions
from console.core.documents.action_document import ApprovalRule, is_expression
from console.core.plain_words import roles_words
from console.core.run.step_requests import ApprovalAsked
from console.core.speaking import fill_text


class Ruled(Protocol):
    """What may need approval by its rules: an action, or a step that sends something."""

    @property
    def id(self) -> str:
        """Its name in the request."""
        ...

    @property
    def approval(self) -> list[ApprovalRule]:
        """Its rules."""
        ...


ANYBODY = "Who asked may not execute it without the agreement of another."


def required_approval(
    action: Ruled,
    record: tuple[str, str] | None,
    values: Mapping[str, Any],
    roots: Mapping[str, Any],
    *,
    always: bool = False,
) -> ApprovalAsked | None:
    """The approval required by all rules that apply; None if none does. `always`: this person may only request the action.

    Several rules combine: the highest number of people, the roles that all rules name (else those of the last rule, because later rules are
    stricter), and nobody whom a rule excludes. An unknown condition counts as true. `roots` have the form's values as `input`.
    """
    rules = applying(action, roots)
    if not rules and not always:
        return None
    common = [role for role in rules[-1].roles if all(role in rule.roles for rule in rules)] if rules else []
    return ApprovalAsked(
        id="",
        action=action.id,
        collection=record[0] if record else None,
        record=record[1] if record else None,
        values=dict(values),
        needs=max((rule.needs for rule in rules), default=1),
        roles=tuple(common or (rules[-1].roles if rules else ())),
        not_by=tuple(dict.fromkeys(who for rule in rules for who in _ruled_out(rule, roots)))
        or ("requester",),
        why=" ".join(expressions.render(rule.why, roots) for rule in rules) or ANYBODY,
    )


def applying(action: Ruled, roots: Mapping[str, Any]) -> list[ApprovalRule]:
    """The rules that apply, or may apply."""
    return [
        rule for rule in action.approval if rule.if_ is None or not expressions.parse(rule.if_).denies(roots)
    ]


def approval_notes(action: Ruled, roots: Mapping[str, Any]) -> list[tuple[str, str]]:
    """("Approval", a sentence) for each rule that applies, or may: who has to agree, and why."""
    lines = []
    for rule in applying(action, roots):
        who = f"{f'{rule.needs} of ' if rule.needs > 1 else ''}{roles_words(rule.roles)}"
        why = fill_text(rule.why, roots)
        certain = rule.if_ is None or expressions.parse(rule.if_).test(roots)
        lines.append(("Approval", f"By {who}. {why}" if certain else f"Perhaps by {who}: {why}"))
    return lines


def _ruled_out(rule: ApprovalRule, roots: Mapping[str, Any]) -> list[str]:
    """Excluded approvers. An expression may give a person's id or mail address, written `person:…`."""
    excluded = []
    for who in rule.not_:
        if not is_expression(who):
            excluded.append(who)
        elif isinstance(person := expressions.parse(who).evaluate(roots), str) and person:
            excluded.append(f"person:{person}")
    return excluded
