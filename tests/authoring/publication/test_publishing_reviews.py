"""A second person for publishing: who decides, what is pinned, what cannot be bypassed, who must not know."""

from typing import Any

import pytest

from console import workflows
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.auth.accounts import teamwork
from console.authoring import publication
from console.core import drafting
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch, transaction
from tests.company import DOCUMENT, Company

CARE = "care-review"


def titled(who: Actor, title: str) -> None:
    revision = workflows.open_draft(who, CARE).revision
    change = {"op": "set", "step": "read", "field": "title", "value": title}
    workflows.edit(who, CARE, revision, drafting.read_changes([change]))


def second_lead(company: Company) -> Actor:
    """Tom may edit and publish in the team of Mona, too."""
    access.grant("operator", f"workflow:{CARE}", ["edit", "publish", "activate"], team="operations")
    access.refresh()
    return company.tom


def wants_second(company: Company) -> None:
    teamwork.change(company.ines, "operations", second_person=True)


def asked(company: Company, title: str = "Read this twice") -> workflows.Review:
    titled(company.mona, title)
    return publication.ask_for_review(company.mona, CARE, note="Clearer")


def live_title() -> str:
    return str(workflows.live(CARE).document.step("read").title)


def test_no_way_to_publish_leads_past_the_second_person(company: Company) -> None:
    wants_second(company)
    titled(company.mona, "Alone")
    ways: list[Any] = [
        lambda: workflows.publish_draft(company.mona, CARE, note="x"),
        lambda: workflows.publish(CARE, company.mona),
        lambda: workflows.import_file(DOCUMENT | {"title": "Imported"}, company.mona, publish=True),
        lambda: workflows.configure(company.mona, CARE, settings={"retries": 1}),
    ]
    for way in ways:
        with pytest.raises(Conflict) as refused:
            way()
        assert refused.value.code == "review_needed"
    assert (
        workflows.definition(company.mona, CARE)["title"] != "Imported"
    )  # nothing is stored of what may not go live
    made = workflows.create(company.mona, "Another")
    end = {"op": "add_step", "step": {"type": "end", "title": "End"}, "after": "start"}
    workflows.edit(company.mona, made.slug, 0, drafting.read_changes([end]))
    with pytest.raises(Conflict, match="second person"):
        workflows.activate(company.mona, made.slug)
    assert workflows.live(CARE).number == 1


def test_what_was_asked_for_is_published_as_the_requester_whatever_is_saved_meanwhile(
    company: Company,
) -> None:
    tom = second_lead(company)
    wants_second(company)
    company.started("1")
    review = asked(company)
    titled(company.mona, "Slipped in")
    with pytest.raises(NotAllowed) as own:
        publication.approve(company.mona, review.id)
    assert own.value.code == "separation_of_duties"
    with pytest.raises(Conflict) as twice:
        publication.ask_for_review(tom, CARE, note="Mine")
    assert twice.value.code == "review_open"
    done = publication.approve(tom, review.id, reason="Good")
    assert (done.status, done.version, done.decided_by, live_title()) == (
        "approved",
        2,
        tom.id,
        "Read this twice",
    )
    assert done.impact is not None
    assert done.impact["differences"][0]["new"] == "Read this twice"
    for reader, counts in (
        (tom, [{"version": 1, "live": 1, "saved": 0}]),
        (company.mona, []),
    ):  # what one person could count is not told to another
        told = publication.told_impact(reader, workflows.review_of(reader, review.id))
        assert told is not None
        assert told["runs"] == counts
        assert (told["matching"] is None, told["differences"]) == (
            reader is company.mona,
            done.impact["differences"],
        )
    [newest, *_] = workflows.versions_of(company.mona, CARE)[0]
    assert (newest.published_by, newest.note) == (company.mona.id, "Clearer")
    assert workflows.open_draft(company.mona, CARE).document["steps"][2]["title"] == "Slipped in"
    with pytest.raises(Conflict) as late:
        publication.ask_for_changes(tom, review.id, reason="Too late")
    assert late.value.code == "already_decided"


def test_what_approving_would_do_is_told_of_who_asked_and_not_at_all_where_it_would_not(
    company: Company,
) -> None:
    tom = second_lead(company)
    review = asked(company)

    def told() -> list[str]:
        newest = workflows.listed_reviews(tom, status="waiting")[0][0]
        impact = publication.told_impact(tom, newest)
        assert impact is not None
        return [each["message"] for each in impact["problems"]]

    assert told() == []
    titled(company.mona, "By herself")
    workflows.publish_draft(company.mona, CARE)
    assert told() == ["Another version went live since this was asked for: it has to be asked for again."]
    with pytest.raises(Conflict) as void:
        publication.approve(tom, review.id)
    assert void.value.code == "review_void"
    asked(company)
    accounts.disable_person(company.mona.id)
    assert "has no open account" in told()[0]


def test_a_request_is_sent_back_withdrawn_or_void(company: Company) -> None:
    tom = second_lead(company)
    review = asked(company)
    with pytest.raises(Invalid):
        publication.ask_for_changes(tom, review.id, reason=" ")
    assert publication.ask_for_changes(tom, review.id, reason="Say why").status == "changes_requested"
    again = asked(company, "Read this, it says why")
    with pytest.raises(NotAllowed):
        workflows.withdraw_review(tom, again.id)
    assert workflows.withdraw_review(company.mona, again.id).status == "withdrawn"
    third = publication.ask_for_review(company.mona, CARE, note="Third")
    workflows.import_file(DOCUMENT | {"title": "By the command line"}, publish=True)
    with pytest.raises(Conflict) as void:
        publication.approve(tom, third.id)
    assert (void.value.code, workflows.review_of(tom, third.id).status, live_title()) == (
        "review_void",
        "void",
        "Read this",
    )
    assert [each.status for each in workflows.listed_reviews(company.mona)[0]] == [
        "void",
        "withdrawn",
        "changes_requested",
    ]


def test_who_may_not_know_the_workflow_finds_no_trace_of_a_request(company: Company) -> None:
    review = asked(company)
    for name in ("olivia", "stan", "ada"):
        who = company.people[name]
        with pytest.raises(NotFound):
            workflows.review_of(who, review.id)
        with pytest.raises(NotFound):
            publication.approve(who, review.id)
        assert (workflows.listed_reviews(who)[0], workflows.to_decide(who)) == ([], [])
    assert workflows.to_decide(company.mona) == []


def test_a_requester_who_lost_the_right_publishes_nothing(company: Company) -> None:
    tom = second_lead(company)
    titled(tom, "By Tom")
    review = publication.ask_for_review(tom, CARE, note="Mine")
    assert [each.id for each in workflows.to_decide(company.mona)] == [review.id]
    with transaction() as connection:
        access.assign(tom.id, [("buyer", "procurement")], connection=connection)
    access.refresh()
    with pytest.raises(Conflict, match="may not publish"):
        publication.approve(company.mona, review.id)
    assert workflows.live(CARE).number == 1


def test_the_request_of_somebody_who_has_left_is_ended_and_asked_anew(company: Company) -> None:
    tom = second_lead(company)
    titled(tom, "By Tom")
    review = publication.ask_for_review(tom, CARE, note="Mine")
    accounts.disable_person(tom.id)
    with pytest.raises(Conflict, match=r"Tom, who asked, has no open account any more\. Ask for changes"):
        publication.approve(company.mona, review.id)
    workflows.request_changes(company.mona, review.id, reason="Tom has left.")
    assert publication.ask_for_review(company.mona, CARE, note="Tom's").open
    assert workflows.live(CARE).number == 1


def test_a_confidential_workflow_leaves_no_trace_to_who_is_not_cleared(company: Company) -> None:
    tom = second_lead(company)
    access.grant("operator", "workflow:care-amber", ["edit", "publish"], team="operations")
    workflows.import_file(
        DOCUMENT | {"slug": "care-amber", "title": "Care amber", "clearance": "amber"}, publish=True
    )
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[Row("p", f"user:{company.mona.id}", "*", "label:amber", "see", "allow")],
            removed=[],
        )
    access.refresh()
    mona = accounts.actor_of_person(company.mona.id, "ses_mona")
    workflows.change(mona, "care-amber", description="Secret")
    review = publication.ask_for_review(mona, "care-amber", note="Secret note")
    assert (workflows.possible_reviewers(review, review.requested_by), workflows.to_decide(tom)) == ([], [])
    for look in (workflows.review_of, publication.approve):
        with pytest.raises(NotFound) as hidden:
            look(tom, review.id)
        with pytest.raises(NotFound) as missing:
            look(tom, "rev_none")
        assert (str(hidden.value), hidden.value.hidden) == (str(missing.value), missing.value.hidden)
    assert workflows.listed_reviews(tom, workflow="care-amber")[0] == []
    assert fetch("select count(*) from console.notice where kind = 'publishing_asked'")[0][0] == 0
    rows = fetch("select convert_from(body, 'UTF8')::jsonb, run from console.event order by id desc limit 1")
    assert (rows[0][0]["type"], rows[0][0]["label"], rows[0][1] == "sys:config") == (
        "workflow_review_requested",
        "amber",
        False,
    )
