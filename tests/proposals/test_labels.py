"""What the fields of proposals are called where they are measured."""

from typing import Any

from console import workflows
from console.proposals import field_labels
from tests.proposals.conftest import House, triage
from tests.tables import cases

FORM: list[dict[str, Any]] = [
    {"name": "verdict", "label": "What we say", "type": "text"},
    {"name": "flags", "label": "Red flags", "type": "checklist", "options": [{"value": "pep", "label": "Exposed"}]},
]


@cases(("name", "label"), [("outcome", "The choice"), ("risk_level", "Risk level"), ("flags.pep", "Flags: pep")])
def test_without_a_workflow_a_name_reads_as_words(name: str, label: str) -> None:
    assert field_labels.of_step(None, None, name) == label


def test_the_form_counts_before_the_collection(house: House) -> None:
    triage({}, slug="labelled", form=FORM)
    known = [one for one in workflows.all_known() if one.slug == "labelled"]
    asked = [(known[0].id, "judge", name) for name in ("verdict", "flags.pep", "tax_id", "gone_by")]
    found = field_labels.of_live(known, asked)
    assert [found[one] for one in asked] == ["What we say", "Red flags: Exposed", "Tax ID", "Gone by"]
