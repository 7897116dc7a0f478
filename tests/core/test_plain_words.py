"""Names inside sentences."""

from console.core.plain_words import humanised, interval_words, roles_words, with_article, with_titles
from tests.tables import cases


@cases(
    ("roles", "words"),
    [
        (["buyer"], "buyer"),
        (["mlro"], "MLRO"),
        (["role:mlro", "operations_lead"], "MLRO or operations lead"),
        ([], ""),
    ],
)
def test_a_role_is_named_and_no_id(roles: list[str], words: str) -> None:
    assert roles_words(roles) == words


@cases(
    ("words", "spoken"),
    [("MLRO", "an MLRO"), ("KYC lead", "a KYC lead"), ("operations lead", "an operations lead"), ("buyer or MLRO", "a buyer or MLRO")],
)
def test_an_abbreviation_has_the_article_of_its_first_letter_as_it_is_spoken(words: str, spoken: str) -> None:
    assert with_article(words) == spoken


@cases(
    ("name", "label"),
    [
        ("it", "IT"),
        ("IT", "IT"),
        ("It", "IT"),
        ("keep_it", "Keep it"),
        ("it_budget", "It budget"),
        ("item", "Item"),
        ("logistics", "Logistics"),
        ("called_back_by", "Called back by"),
        ("VAT_id", "VAT ID"),
        ("ÇıkışDepo", "Çıkış depo"),
        ("ParaBirimi", "Para birimi"),
        ("TESLİM", "Teslim"),
        ("İPTAL", "İptal"),
    ],
)
def test_a_trade_of_two_letters_is_no_pronoun(name: str, label: str) -> None:
    assert humanised(name) == label


def test_a_step_that_a_reason_names_by_its_id_is_named_by_its_title() -> None:
    titles = {"ask": "How much?", "end": "Done"}
    for reason, said in (
        ("The step ask does not come before this one.", "The step “How much?” does not come before this one."),
        ("This leads back to ask, an earlier step.", "This leads back to “How much?”, an earlier step."),
        ("remove the edge to end.", "remove the edge to “Done”."),
        ("The step leads to itself.", "The step leads to itself."),
    ):
        assert with_titles(reason, lambda step: titles.get(step, "")) == said


@cases(
    ("stored", "words"),
    [
        ("1 mon 3 days", "1 month 3 days"),
        ("-1 days", "-1 day"),
        ("1 year 2 mons -3 days +04:05:06.7", "1 year 2 months -3 days 4 hours 5 minutes 6.7 seconds"),
        ("-00:00:00.5", "-0.5 seconds"),
        ("00:00:00", "0 seconds"),
        ("infinity", "infinity"),
        ("P1Y", "P1Y"),
    ],
)
def test_an_interval_is_said_in_whole_words(stored: str, words: str) -> None:
    assert interval_words(stored) == words
