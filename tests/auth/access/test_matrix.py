"""The policy of the demo as a table: who × right × whose record. Read it like a spreadsheet; `policies/` has to say the same."""

from console.auth.access.index import Index
from console.auth.access.rows import POLICIES, Row, kind_of, parse
from tests.tables import cases

PEOPLE = {
    "olivia": [("operator", "operations")],
    "tom": [("operator", "operations")],
    "mona": [("operations_lead", "operations")],
    "stan": [("buyer", "procurement")],
    "lena": [("procurement_lead", "procurement")],
    "petra": [
        ("finance_controller", "finance"),
        ("finance_controller", "operations"),
        ("finance_controller", "procurement"),
    ],
    "malik": [("mlro", "financial_crime"), ("mlro", "operations")],
    "gita": [("campaign_manager", "growth")],
    "rosa": [("reviewer", "financial_crime"), ("reviewer", "operations")],
    "ada": [("auditor", "*")],
    "ines": [("admin", "*")],
    "dev": [("developer", "*")],
    "wren": [],
}
DESKS = {"olivia": ["retail", "corporate"], "tom": ["retail"]}
SHIPPED = [
    row
    for name in ("roles.csv", "fernwick.csv")
    for row in parse((POLICIES / name).read_text(encoding="utf-8"), name)
]
GIVEN = [
    Row("g", f"user:{who}", "*" if team == "*" else f"t:{team}", f"role:{role}")
    for who, roles in PEOPLE.items()
    for role, team in roles
]
INDEX = Index([*SHIPPED, *GIVEN])
EVERYBODY = set(PEOPLE)


def allowed(obj: str, act: str, team: str | None = None, record: dict[str, object] | None = None) -> set[str]:
    """Who may do this."""
    roots = {
        name: {"currentUser": {"id": name, "tags": {"desks": DESKS.get(name, [])}}}
        | ({"record": record} if record else {})
        for name in PEOPLE
    }
    return {name for name in PEOPLE if INDEX.verdict(f"user:{name}", team, obj, act).holds(roots[name])}


MATRIX: list[tuple[str, str, str | None, str]] = [
    # object                    act         team           who may
    ("workflow:kyc-review", "see", "operations", "olivia tom mona malik rosa ada ines dev"),
    ("workflow:kyc-review", "start", "operations", "olivia tom mona"),
    ("workflow:kyc-review", "resume", "operations", "olivia tom mona malik"),
    ("workflow:kyc-review", "takeover", "operations", "mona malik"),
    ("workflow:kyc-review", "assign", "operations", "mona"),
    ("workflow:kyc-review", "cancel", "operations", "mona"),
    ("workflow:kyc-review", "publish", "operations", "mona dev"),
    ("workflow:customer-refund", "see", "operations", "olivia tom mona petra malik rosa ada ines dev"),
    ("workflow:customer-refund", "start", "operations", "olivia tom mona"),
    ("workflow:customer-refund", "resume", "operations", "olivia tom mona petra malik"),
    ("workflow:supplier-onboarding", "see", "procurement", "stan lena petra ada ines dev"),
    ("workflow:supplier-onboarding", "start", "procurement", "stan lena"),
    ("workflow:supplier-onboarding", "resume", "procurement", "stan lena petra"),
    ("workflow:supplier-onboarding", "publish", "procurement", "lena dev"),
    ("workflow:lead-nurture", "publish", "growth", "gita dev"),
    ("workflow:lead-nurture", "see", "growth", "gita ada ines dev"),
    ("workflow:a-new-one", "start", "operations", "olivia tom mona"),
    ("activity", "read", None, "ada ines"),
    ("activity", "export", None, "ada"),
    ("activity", "verify", None, "ada ines"),
    ("ai", "audit", None, "ada"),
    ("ai", "manage", None, "ines"),
    ("source", "manage", None, "ines dev"),
    ("policy", "manage", None, "ines"),
    ("key", "manage", None, "ines"),
    ("user", "manage", None, "ines"),
    ("subject", "erase", None, "ines"),
    ("collection:account", "browse", None, "olivia tom mona malik rosa ines"),
    ("collection:account", "read", None, "olivia tom mona malik rosa ada ines"),
    ("collection:account", "update", None, "mona"),
    ("collection:charge", "read", None, "olivia tom mona petra malik rosa ada ines"),
    ("collection:charge", "update", None, "mona petra"),
    ("collection:refund", "export", None, "mona"),
    ("collection:ticket", "update", None, "olivia tom mona"),
    ("collection:ticket", "shape", None, "mona"),
    ("collection:supplier", "shape", None, "lena"),
    ("collection:contact", "shape", None, "gita"),
    (
        "collection:screening_hit",
        "update",
        None,
        "olivia mona malik",
    ),  # operators by the customer who was screened, see below
    ("collection:sar_case", "read", None, "malik"),
    ("collection:supplier_request", "browse", None, "stan lena petra ines"),
    ("collection:supplier_request", "update", None, "stan lena petra"),
    ("collection:supplier_bank_account", "update", None, "petra"),
    ("collection:supplier_document", "update", None, "stan lena"),
    ("collection:supplier", "export", None, "lena"),
    ("collection:contact", "read", None, "gita ada ines"),
    ("collection:customer", "create", None, ""),
    ("collection:customer", "delete", None, ""),
    ("collection:erp.anything", "browse", None, ""),  # a new source is nobody's until somebody grants it
    ("collection:erp.anything", "read", None, ""),
    ("inbox:operations", "work", "operations", "olivia tom mona"),
    ("inbox:operations", "manage", "operations", "mona"),
]


@cases(("obj", "act", "team", "who"), MATRIX)
def test_who_may(obj: str, act: str, team: str | None, who: str) -> None:
    assert allowed(obj, act, team) == set(who.split())


@cases(
    ("desk", "act", "who"),
    [
        ("retail", "read", "olivia tom mona malik petra rosa ada ines"),
        ("corporate", "read", "olivia mona malik petra rosa ada ines"),
        ("retail", "browse", "olivia tom mona malik petra rosa ines"),
        ("retail", "update", "olivia tom mona malik"),
        ("corporate", "update", "olivia mona malik"),
        ("retail", "export", "mona"),
    ],
)
def test_whose_customers(desk: str, act: str, who: str) -> None:
    assert allowed("collection:customer", act, None, {"desk": desk}) == set(who.split())


@cases(
    ("desk", "who"),
    [("retail", "olivia tom mona malik"), ("corporate", "olivia mona malik"), ("", "mona malik")],
)
def test_whose_screening_hits(desk: str, who: str) -> None:
    record: dict[str, object] = {"run": {"customer": {"desk": desk}}} if desk else {}
    assert allowed("collection:screening_hit", "update", None, record) == set(who.split()) | (
        {"olivia"} if not desk else set()
    )


@cases("name", sorted(EVERYBODY))
def test_tax_ids_are_hidden_from_operators_only(name: str) -> None:
    hidden = INDEX.hidden(f"user:{name}", None, "customer").unreadable
    assert hidden == ({"tax_id"} if name in {"olivia", "tom"} else set())


def test_a_stranger_of_another_team_has_nothing_in_operations() -> None:
    operations = {row.obj for row in SHIPPED if row.dom == "t:operations" and row.ptype == "p"} | {
        "workflow:kyc-review",
        "workflow:customer-refund",
    }
    for obj in operations:
        for act in {row.act for row in SHIPPED if kind_of(row.obj) == kind_of(obj)}:
            assert not allowed(obj, act, "operations") & {"stan", "lena", "gita", "wren"}, (obj, act)


def test_an_admin_does_no_business() -> None:
    may = {(row.obj, row.act) for row in SHIPPED if row.sub == "role:admin"}
    assert {act for obj, act in may if kind_of(obj) in {"workflow", "collection"}} == {
        "see",
        "browse",
        "read",
    }


def test_who_reviews_or_audits_changes_nothing() -> None:
    looking = {"see", "read", "browse", "export", "verify", "audit", "reveal"}
    for role in ("reviewer", "auditor"):
        assert {row.act for row in SHIPPED if row.sub == f"role:{role}" and row.eft == "allow"} <= looking


def test_each_demo_role_is_built_from_one_level() -> None:
    built = {row.sub: row.obj for row in SHIPPED if row.ptype == "g"}
    assert built == {
        "role:buyer": "role:operator",
        **{
            f"role:{name}": "role:lead"
            for name in (
                "operations_lead",
                "procurement_lead",
                "campaign_manager",
                "finance_controller",
                "mlro",
            )
        },
    }
