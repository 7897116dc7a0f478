"""Names inside sentences."""

from console.core.plain_words import roles_words
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
