"""With which outcome a run goes on after a message or call."""

from console.core.contacting import way_on
from tests.tables import cases

WAYS = ("interested", "not_interested", "default")


@cases(
    "outcome, label, way",
    [
        ("answered", "interested", "interested"),
        ("answered", "Interested", "interested"),
        ("answered", "Not interested", "not_interested"),
        ("answered", " NOT-INTERESTED ", "not_interested"),
        ("answered", "maybe", "answered"),
        ("answered", "", "answered"),
        ("busy", "interested", "busy"),
        ("failed", "interested", None),
    ],
)
def test_the_label_of_an_answer_counts_first_however_it_is_spelled(
    outcome: str, label: str, way: str | None
) -> None:
    assert way_on(outcome, label, WAYS) == way
