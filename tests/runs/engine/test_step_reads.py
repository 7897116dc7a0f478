"""What a step reads beside its record: each thing once."""

import sqlalchemy as sa

from console import records
from console.records import catalogue
from tests.company import Company


def test_related_rows_are_found_by_the_record_as_it_was_just_read(company: Company) -> None:
    engine, seen = catalogue.engine_of(records.collection("customer")), []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(" ".join(statement.split()))

    company.started()  # what a process asks once
    sa.event.listen(engine, "before_cursor_execute", note)
    run_id = company.started("3")
    sa.event.remove(engine, "before_cursor_execute", note)
    assert "NL559999900012345670" in str(company.told(run_id))
    read_of = [sql.partition(" FROM ")[2].split()[0] for sql in seen]
    assert read_of == ["customer", "customer", "account"], (
        "the start judges the record, the step reads it, and what it leads to is found by that"
    )
