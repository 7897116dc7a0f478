"""Publishing rights names the live runs that it takes away from who has them in hand, and no others."""

from console import permissions, runs
from console.auth import access
from console.auth.access import Row, policy_store
from console.auth.access.policy_changes import Change
from console.infra.db.engine import transaction
from tests.company import Company


def without(role: str, obj: str, act: str) -> Change:
    """The rights without these lines."""
    gone = frozenset(
        row
        for row in access.all_rows()
        if row.ptype == "p" and (row.sub, row.obj, row.act) == (f"role:{role}", obj, act)
    )
    assert gone
    return Change(frozenset(), gone)


def denied(role: str, obj: str, act: str, when: str = "") -> Change:
    return Change(frozenset({Row("p", f"role:{role}", "*", obj, act, "deny", when)}), frozenset())


def named(company: Company, change: Change) -> dict[str, str]:
    return {
        one.run.id: f"{one.run.holder_name}: {one.lacks}"
        for one in permissions.preview(company.ines, change).cut_off
    }


def test_the_runs_are_named_whose_holder_could_not_go_on(company: Company) -> None:
    olivia, tom, mona = (
        company.at("note", "1"),
        company.at("note", "2", "tom"),
        company.at("note", "3", "mona"),
    )
    saved = company.at("note", "4")
    runs.save(company.olivia, saved, revision=None)
    assert named(company, without("operator", "workflow:*", "resume")) == {
        olivia: "Olivia: go on with it",
        tom: "Tom: go on with it",
    }
    assert named(company, denied("operator", "workflow:care-review", "see")) == {
        olivia: "Olivia: see it",
        tom: "Tom: see it",
    }
    assert named(company, denied("lead", "collection:customer", "read")) == {mona: "Mona: read its record"}
    assert named(company, denied("lead", "collection:customer", "read", "record.id == 1")) == {}, (
        "Mona's is another"
    )
    assert named(company, denied("operator", "collection:customer", "read", "record.id == 1")) == {
        olivia: "Olivia: read its record"
    }
    assert named(company, denied("auditor", "workflow:*", "see")) == named(company, Change()) == {}
    runs.cancel(company.mona, olivia, revision=None, reason="No.")
    assert set(named(company, without("operator", "workflow:*", "resume"))) == {tom}


def test_who_may_not_see_a_run_is_not_told_of_it(company: Company) -> None:
    company.at("note", "1")
    change = without("operator", "workflow:*", "resume")
    assert len(named(company, change)) == 1
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[Row("p", "role:admin", "*", "collection:customer", "read", "deny", "record.id == 1")],
            by="test",
        )
    access.refresh()
    assert named(company, change) == {}
