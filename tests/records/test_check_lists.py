"""Lists of texts in CHECKs offer a choice where they hold for every row."""

from pathlib import Path

from console.records.check_lists import listed_values
from tests.records.files import assembled
from tests.tables import cases


@cases(
    ("text", "lists"),
    [
        ("status = ANY (ARRAY['a'::text, 'b'::text])", {"status": ["a", "b"]}),
        (
            "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            {"status": ["a", "b"]},
        ),
        ("(`status` in ('a','b'))", {"status": ["a", "b"]}),
        ("x > 0 ; kind IN ('p', 'q') ; mood IN ('up')", {"kind": ["p", "q"], "mood": ["up"]}),
        ("VALUE IN ('top', 'low')", {"VALUE": ["top", "low"]}),
        ("status IN ('it''s')", {"status": ["it's"]}),
        (
            """check ("Active?" in ('y', 'n') and [my tone] in ('a'))""",
            {"Active?": ["y", "n"], "my tone": ["a"]},
        ),
        ("(`on hold` in ('y'))", {"on hold": ["y"]}),
        ("status IN (1, 2)", {}),
        ("", {}),
        (
            "(status IS NULL) OR (upper((status)::text) = ANY (ARRAY['S'::text, 'T'::text]))",
            {"status": ["S", "T"]},
        ),
        ("status in ('a') or status is null", {"status": ["a"]}),
        ("`status` in ('a') and `kind` is not null", {"status": ["a"]}),
        ("note <> 'x OR y' AND status IN ('a OR b')", {"status": ["a OR b"]}),
        (
            "((state)::text = ANY (ARRAY['done'::text]) AND (paid_on IS NOT NULL)) OR ((state)::text <> ALL (ARRAY['done'::text]))",
            {},
        ),
        ("status in ('done') and paid_on is not null or status not in ('done')", {}),
        ("status in ('done') or paid_on is null", {}),
        ("not (status in ('gone'))", {}),
        ("case when kind = 1 then status in ('a') else true end", {}),
    ],
)
def test_lists_in_the_checks_of_other_databases(text: str, lists: dict[str, list[str]]) -> None:
    assert listed_values(text) == lists


def test_a_list_that_holds_only_under_a_condition_offers_no_choice(tmp_path: Path) -> None:
    checks = "check (a in ('x') or b = ')'), check (c in ('p', '(q)'))"
    made = assembled(
        tmp_path,
        f"create table t (id integer primary key, a text, b text check (b in ('y', 'z')), c text, {checks})",
    )["t"]
    assert {item.name: [each.value for each in item.options] for item in made.fields if item.options} == {
        "b": ["y", "z"],
        "c": ["p", "(q)"],
    }
