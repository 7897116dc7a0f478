"""Values of a file that are none of the options of their field."""

from typing import TYPE_CHECKING

from console import collections
from console.contacts import import_batches, imports
from tests.views.test_contact_import import club, counts, kept, why  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_a_value_that_stands_in_the_contact_may_stay_though_it_is_none_of_the_options(club: "Pages") -> None:  # noqa: F811 (the fixture)
    ines, company = club.company.ines, club.company
    document = collections.open_collection(ines, "contact").document.to_json()
    fields = {**document["fields"], "stage": {"options": ["engaged", "lost"]}}
    changed = {name: value for name, value in {**document, "fields": fields}.items() if value is not None}
    collections.publish(ines, "contact", collections.save(ines, "contact", 0, changed))
    lines = "email,stage,country\nsam@post.example,new,CA\nana@post.example,new,LT\nkenji@post.example,new,JP\nq@post.example,new,JP\n"
    asked = kept(company, lines).question
    found = import_batches.look(company.olivia, "contact", imports.Question(asked.file, asked.columns, asked.match, change=True))
    assert counts(found) == (0, 1, 1, 2)
    assert {line: reasons[-1] for line, reasons in why(found).items()} == dict.fromkeys((4, 5), "Stage “new” is none of Engaged, Lost.")
