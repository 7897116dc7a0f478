"""The expressions in the settings of fields (computed values, conditions, rules), each with its place in the document."""

from collections.abc import Iterable

from console.core import expressions
from console.core.documents.fields import Computed, FieldDefinition, Located, Must


def texts_of(where: str, rule: Computed | None) -> list[Located]:
    """All expressions of a rule, with their place."""
    if rule is None:
        return []
    if isinstance(rule, str):
        return [Located(where, rule)]
    located = []
    for number, case in enumerate(rule):
        located += [Located(f"{where}[{number}].if", case.if_)] if case.if_ is not None else []
        located.append(Located(f"{where}[{number}].value", case.value))
    return located


def texts_of_definitions(where: str, definitions: Iterable[FieldDefinition]) -> list[Located]:
    """All expressions of the definitions, with their place."""
    located = []
    for number, entry in enumerate(definitions):
        located += [
            Located(f"{where}[{number}].{name}", rule)
            for name, rule in (("if", entry.if_), ("required_if", entry.required_if))
            if rule is not None
        ]
        located += (
            [Located(f"{where}[{number}].currency", entry.currency)]
            if entry.currency is not None and not entry.fixed_currency
            else []
        )
        for place, option in enumerate(entry.options or ()):
            located += (
                [Located(f"{where}[{number}].options[{place}].if", option.if_)]
                if option.if_ is not None
                else []
            )
        located += texts_of(f"{where}[{number}].value", entry.value)
        located += texts_of(f"{where}[{number}].at_most", entry.at_most)
        located += texts_of_rules(f"{where}[{number}].must", entry.must)
        located += [
            Located(f"{where}[{number}].help", inside)
            for inside in expressions.raw_expressions(entry.help or "")
        ]
    return located


def texts_of_rules(where: str, rules: Iterable[Must]) -> list[Located]:
    """All expressions of rules, those in their sentences included, with their place."""
    located = []
    for place, rule in enumerate(rules):
        at = f"{where}[{place}]"
        located.append(Located(f"{at}.if", rule.if_))
        for name, text in (("message", rule.message), ("why", rule.why or "")):
            located += [Located(f"{at}.{name}", inside) for inside in expressions.raw_expressions(text)]
    return located
