"""Pages of roles: the list, a role's rules, the form of one object, the draft, the versions; and who does not get in."""

import pytest

from console.auth import access, accounts
from tests.company import PASSWORD
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

ON = "/settings/roles/operator/on?object=collection%3Acustomer&place=t%3Aoperations"


def test_an_admin_edits_a_collections_rules_and_publishes_them(pages: Pages) -> None:
    ines = pages.ines
    page = ines.get("/settings/roles")
    assert {"/settings/roles/operator", "/settings/roles/operations_lead"} <= set(page.links)
    page = ines.get("/settings/roles/operator?place=t:operations")
    assert "/settings/roles/operator/on?object=collection%3Acustomer&place=t%3Aoperations" in page.links
    assert "Desk is one of the person's desks" in page.text
    form = ines.get(ON)
    assert form.form("operations")["fields"]["r0.condition"] == "record.desk in $currentUser.tags.desks"
    token = ines.token
    built = ines.post(
        ON,
        {
            "csrf_token": token,
            "rules": "1",
            "r0.effect": "allow",
            "r0.acts": "read",
            "r0.field": "record.risk",
            "r0.comparison": "==",
            "r0.value": "low",
            "build": "0",
            "f.email": "hidden",
        },
        status=200,
    )
    fields = built.form("operations")["fields"]
    assert (fields["r0.condition"], fields["f.email"]) == ('record.risk == "low"', "hidden")
    entered = ines.post(
        ON,
        {
            "csrf_token": token,
            "rules": "1",
            "r0.acts": "read",
            "r0.field": "record.id",
            "r0.comparison": "<=",
            "r0.value": "x",
            "enter": "1",
        },
        status=422,
    )
    assert "is a number" in entered.text
    entered = ines.post(
        ON,
        {
            "csrf_token": token,
            "rules": "1",
            "r0.acts": "read",
            "r0.field": "record.id",
            "r0.comparison": "<=",
            "r0.value": "2",
        },
        status=200,
    )
    assert entered.form("operations")["fields"]["r0.condition"] == "record.id <= 2", (
        "what was put together and not added is shown before it counts"
    )
    more = ines.post(ON, {"csrf_token": token, "rules": "1", "r0.acts": "read", "add": "1"}, status=200)
    assert more.form("operations")["fields"]["rules"] == "2"
    wrong = ines.post(
        ON,
        {"csrf_token": token, "rules": "1", "r0.acts": "read", "r0.condition": "record.risk ="},
        status=422,
    )
    assert "compared with '=='" in wrong.text
    assert wrong.form("operations")["fields"]["r0.condition"] == "record.risk ="
    ines.post(
        ON,
        {
            "csrf_token": token,
            "rules": "1",
            "r0.acts": "read",
            "r0.condition": 'record.risk == "low"',
            "f.email": "hidden",
        },
    )
    assert "in your draft" in ines.follow().text
    page = ines.get("/settings/roles/draft")
    assert "Update Customers" in page.text
    assert "2 Olivia, Tom" in page.text
    ines.send(page, "/settings/roles/draft", note="Only what is low")
    assert "Published as version" in ines.follow().html
    scope = access.scope_for(pages.company.tom, "customer")
    assert scope.allows({"desk": "corporate", "risk": "low"})
    assert set(scope.hidden) == {"email"}
    page = ines.get("/settings/roles/versions")
    assert "Only what is low" in page.text
    undo = next(form["action"] for form in page.forms if form["action"].endswith("/undo"))
    ines.post(undo, {"csrf_token": token})
    assert "2 Olivia, Tom" in ines.follow().text
    ines.post("/settings/roles/draft/discard", {"csrf_token": token})
    assert "Your draft changes nothing" in ines.get("/settings/roles/draft").text


def test_a_role_of_ones_own_by_page(pages: Pages) -> None:
    ines = pages.ines
    page = ines.get("/settings/roles")
    wrong = ines.send(page, "/settings/roles", title="Night desk", status=422)
    assert "Choose what it is built from" in wrong.text
    assert wrong.form("/settings/roles")["fields"]["title"] == "Night desk"
    ines.send(page, "/settings/roles", title="Night desk", **{"from": "level:operator"})  # type: ignore[arg-type]
    page = ines.follow()
    assert "Built from Operator" in page.text
    assert "another role is called that" in ines.send(page, "/title", title="Lead", status=422).text.lower()
    ines.send(page, "/title", title="Late desk")
    assert "Late desk" in ines.follow().text
    ines.send(ines.get("/settings/roles/night_desk"), "/delete")
    assert "Late desk" not in ines.follow().text
    held = ines.get("/settings/roles/buyer")
    assert "It is held by Stan" in held.text
    assert (
        "held by Stan"
        in ines.post("/settings/roles/buyer/delete", {"csrf_token": ines.token}, status=409).text
    )


def test_two_admins_at_once(pages: Pages) -> None:
    accounts.create_person(
        "iris@fernwick.example", role="admin", team="admin", name="Iris", password=PASSWORD
    )
    for who, obj in ((pages.ines, "customer"), (pages.iris, "account")):
        who.post(
            f"/settings/roles/reviewer/on?object=collection%3A{obj}&place=t%3Aoperations",
            {"csrf_token": who.token, "rules": "1", "r0.acts": "export"},
        )
    seen = pages.ines.get("/settings/roles/draft")
    pages.iris.send(pages.iris.get("/settings/roles/draft"), "/settings/roles/draft", note="first")
    page = pages.ines.send(seen, "/settings/roles/draft", note="mine", status=409)
    assert "Published by others since you began" in page.text
    assert page.form("/settings/roles/draft")["fields"]["note"] == "mine"
    pages.ines.send(page, "/settings/roles/draft")


@pytest.mark.parametrize("who", ["olivia", "stan", "ada", "mona"])
def test_only_who_manages_rights_gets_in(pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    for path in (
        "",
        "/operator",
        "/operator/on?object=collection%3Acustomer",
        "/draft",
        "/versions",
        "/nobody",
    ):
        assert "You may not manage rights" in browser.get(f"/settings/roles{path}", status=403).text
    token = browser.token
    for path in (
        "",
        "/operator/title",
        "/operator/delete",
        "/operator/on?object=collection%3Acustomer",
        "/operator/check",
        "/operator/level?object=collection%3Acustomer",
        "/draft",
        "/draft/discard",
        "/versions/1/undo",
    ):
        browser.post(f"/settings/roles{path}", {"csrf_token": token, "rules": "0"}, status=403)
    assert "Roles" not in [text for _, text in browser.get("/settings/me").headings]
    assert "/settings/roles" not in browser.get("/settings/me").links


def test_the_matrix_and_the_simulator_by_page(pages: Pages) -> None:
    ines = pages.ines
    page = ines.get("/settings/access?team=operations&changes=1")
    assert "browse under a condition" in page.text.replace("*", "").replace("browse  under", "browse under")
    assert "/settings/access/export.csv?team=operations" in page.links
    page = ines.get("/settings/access?person=tom@fernwick.example&q=acc")
    assert "As Tom" in page.text
    assert "Operator in Operations may read Accounts" in page.text
    assert "Nobody with an open account is called" in ines.get("/settings/access?person=zorro").text
    assert "Nothing here is called that" in ines.get("/settings/access?q=zzz").text
    for kind in ("collection", "action", "workflow", "inbox", "label", "console"):
        page = ines.get(f"/settings/access?kind={kind}&team=operations")
        changed_at = [link for link in page.links if "/operator/on?object=" in link]
        assert bool(changed_at) == (kind != "label")
        for link in changed_at[:1]:  # from what a role may do to where it is changed
            assert ines.get(link).forms
    text = ines.client.get("/settings/access/export.csv").text
    assert text.startswith('"who","name"')
    assert '"role:operator"' in text
    page = ines.get(
        "/settings/access/try?person=tom@fernwick.example&act=read&object=collection:customer&record=3"
    )
    assert "Tom may not read Customers: no condition of a rule holds." in page.text
    assert "corporate" in page.text
    assert "Say who, what and on what." in ines.get("/settings/access/try?person=tom@fernwick.example").text
    assert (
        "Choose one of act, browse"
        in ines.get(
            "/settings/access/try?person=tom@fernwick.example&act=start&object=collection:customer",
            status=422,
        ).text
    )
    assert (
        "There is nothing here"
        in ines.get(
            "/settings/access/try?person=tom@fernwick.example&act=read&object=collection:customer&record=99"
        ).text
    )


def test_out_of_scope_says_nothing_and_offers_nothing(pages: Pages) -> None:
    for path in (
        "/c/customer/3",
        "/c/customer/99",
        "/c/customer/3/why",
        "/runs/run_x/why",
        "/c/nothing/1/why",
    ):
        page = pages.tom.get(path, status=404)
        assert [form for form in page.forms if form["action"] == "/access-requests"] == [], path
        assert "rule" not in page.text.lower()


def test_the_api_names_the_rule_and_who_can_give_it(pages: Pages) -> None:
    key = accounts.create_key("tests", pages.company.olivia.id).text
    answer = pages.app.test_client().get("/api/v1/activity-logs", headers={"Authorization": f"Bearer {key}"})
    told = answer.get_json()
    assert answer.status_code == 403
    assert (told["need"], told["rule"], told["who"]) == (
        {"object": "activity", "act": "read"},
        "No rule allows it for Operator.",
        ["Ines"],
    )
    answer = pages.app.test_client().get(
        "/api/v1/collections/customer/records/99", headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 404
    assert not {"need", "rule", "who"} & set(answer.get_json())


def test_a_level_is_shown_with_its_words_and_set_into_the_draft(pages: Pages) -> None:
    ines = pages.ines
    table = ines.get("/settings/access?team=operations")
    assert "company" in table.text
    assert "View" in table.text
    at = ON.replace("customer", "account")
    page = ines.get(at)
    level = next(form for form in page.forms if "/level?" in form["action"])
    ines.post(level["action"], level["fields"] | {"level": "View"})
    assert ines.follow().html.count("in your draft")
    assert (
        next(form for form in ines.get(at).forms if "/level?" in form["action"])["fields"]["level"] == "View"
    )
    ines.post(level["action"], level["fields"] | {"level": "Everything"}, status=422)
