"""What a key may do of what its owner may."""

from console.auth.access.narrowing import APPROVE, Scopes
from tests.tables import cases

READ = frozenset({"collection.read"})


@cases(
    ("scopes", "approves"),
    [
        (Scopes(), False),
        (Scopes(approves=True), True),
        (Scopes(acts=READ), False),
        (Scopes(acts=READ, approves=True), False),
        (Scopes(acts=frozenset({APPROVE})), True),
        (Scopes(approves=True, assistant=True), False),
        (Scopes(acts=frozenset({APPROVE}), assistant=True), False),
    ],
)
def test_a_key_approves_only_if_it_was_made_to_and_never_an_assistant(scopes: Scopes, approves: bool) -> None:
    assert scopes.may_approve is approves
    assert scopes.allow("action:charge.refund", "approve") is approves


@cases(
    ("obj", "act", "allowed"),
    [
        ("collection:customer", "read", True),
        ("collection:account", "read", False),
        ("collection:customer", "export", False),
        ("source", "manage", False),
    ],
)
def test_a_key_does_what_it_names_and_nothing_else(obj: str, act: str, allowed: bool) -> None:
    assert Scopes(acts=READ, collections=frozenset({"customer"})).allow(obj, act) is allowed
