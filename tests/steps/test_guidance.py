"""Guidance: a text with its values, completed by the button alone."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.core.errors import Invalid
from console.steps.guidance import GuidanceConfig
from tests.steps.walk import complete, context, prepare

SMALLEST: dict[str, Any] = {"text": "Do it."}


def test_values_are_filled_in_and_never_obeyed() -> None:
    made = context(record={"name": "*Ana* [x](http://evil.example) <script>\n# Loud", "age": 7})
    text = prepare(
        "guidance", {"text": "Call **{{ record.name }}**, {{ record.age }}, {{ record.nothing }}."}, made
    ).text
    assert text == r"Call **\*Ana\* \[x\]\(http://evil.example\) \<script\> \# Loud**, 7, ."


def test_a_part_stands_there_by_a_condition() -> None:
    """A value that looks like a part is none."""
    text = "{{ if record.age > 17 }}\n**Grown:** {{ record.name }}.\n{{ else }}\nA child.\n{{ end }}\n\nCall."
    told = [
        prepare("guidance", {"text": text}, context(record={"name": "{{ end }}", "age": age})).text
        for age in (18, 7, None)
    ]
    assert told == ["**Grown:** \\{\\{ end \\}\\}.\n\nCall.", "A child.\n\nCall.", "A child.\n\nCall."]


def test_policy_and_owner_stand_below() -> None:
    config = {
        "text": "Look.",
        "policy": {"title": "AML 7", "url": "https://example.org/aml"},
        "owner": "Compliance desk",
    }
    assert (
        prepare("guidance", config, context()).text
        == "Look.\n\n*Policy: [AML 7](https://example.org/aml) · Owner: Compliance desk*"
    )
    assert (
        prepare("guidance", {"text": "Look.", "policy": {"title": "AML 7"}}, context()).text
        == "Look.\n\n*Policy: AML 7*"
    )


def test_it_asks_for_nothing_and_takes_nothing() -> None:
    prompt = prepare("guidance", {"text": "Look."}, context(), button="Seen")
    assert (prompt.fields, prompt.outcomes, prompt.tables, prompt.button) == ((), (), (), "Seen")
    assert prepare("guidance", {"text": "Look."}, context()).button == "Done"
    assert complete("guidance", {"text": "Look."}, context()).values == {}
    with pytest.raises(Invalid):
        complete("guidance", {"text": "Look."}, context(), {"x": 1})


@pytest.mark.parametrize(
    "config", [{}, {"text": ""}, {"text": "x", "policy": {"title": "P", "url": "javascript:alert(1)"}}]
)
def test_settings_that_say_nothing_or_lead_astray_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GuidanceConfig.model_validate(config)
