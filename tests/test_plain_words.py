"""The reader that judges every page of the demo: it finds each thing that people cannot read, and lets alone what they can."""

from tests.plain_words import unreadable
from tests.tables import cases


@cases(
    ("page", "found"),
    [
        ("<p>Run run_01m7zgzkvveeg82ye6ssx03m88</p>", "an id"),
        ("<dd>0193463c-0000-7000-8000-000000000001</dd>", "an id"),
        ("<td>2026-11-21T16:15:56.386454Z</td>", "a moment for programs"),
        ("<p>from 2026-11-21 on</p>", "a moment for programs"),
        ("<p>payee: no_match</p>", "a word of programs"),
        ('<a title="approved kyc_decision">x</a>', "a word of programs"),
        ("<p>steps.choose.option</p>", "a word of programs"),
        ("<dt>Amount (minor units)</dt>", "a smallest unit"),
        ("<dt>Expected (euro cents)</dt>", "a smallest unit"),
        ("<dd>IT, LT</dd><dd>LT</dd>", "a code of a country"),
        ('<dd>{"a": 1}</dd>', "JSON"),
        ('<dd>["LT"]</dd>', "JSON"),
        ("<dd>LT</dd>", "a code of a country"),
        ("<td>DE, LT</td>", "a code of a country"),
        ('<input value="2026-11-21">', "a moment for programs"),
    ],
)
def test_what_people_cannot_read_is_found(page: str, found: str) -> None:
    assert [what.partition(":")[0] for what in unreadable(page)] == [found]


@cases(
    "page",
    [
        "<p>Minor or long ago, 21 Nov 2026, john_smith@example.org, €120,000.00</p>",
        "<details data-technical><summary>Technical</summary><dd>run_01m7zgzkvveeg82ye6ssx03m88 no_match</dd></details><p>fine</p>",
        '<svg><use href="#x"></use></svg><details data-technical><svg><use href="#y"></use></svg><code>a_b</code></details>',
        "<script>a_b</script><code data-typed>birth_date:2026</code><kbd>a_b</kbd>",
        "<span>LT</span><dd>Lithuania</dd>",
        "<p>a share is not between 0 and 100 per cent</p>",
        "<dd>IT</dd>",
    ],
)
def test_what_people_can_read_is_let_alone(page: str) -> None:
    assert unreadable(page) == []
