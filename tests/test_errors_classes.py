"""The errors that people and programs are told about: each class's status, code and shape; and who raises which, at the edge of the log and of the settings."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from console.core.expressions import ExpressionError, parse as expression
from console.errors import (
    Conflict,
    ConsoleError,
    DefinitionError,
    IntegrationError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    SourceDown,
    TooMany,
)
from console.log import checkpoint, tree
from console.settings import IllFormed, Setting, SettingsError, parse_env, read
from tests.log.growing import Memory, Tiles, consistent, included
from tests.tables import cases

CLASSES: list[tuple[type[ConsoleError], int, str]] = [
    (ConsoleError, 400, "error"),
    (Malformed, 400, "malformed"),
    (NotAllowed, 403, "not_allowed"),
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (Invalid, 422, "invalid"),
    (TooMany, 429, "too_many"),
    (SourceDown, 503, "source_down"),
    (DefinitionError, 422, "definition"),
    (IntegrationError, 502, "integration"),
    (OutcomeUnknown, 504, "outcome_unknown"),
    (SettingsError, 400, "settings"),
]
NAMES = [made.__name__ for made, _, _ in CLASSES]
every_class = pytest.mark.parametrize(("made", "status", "code"), CLASSES, ids=NAMES)


@every_class
def test_status_and_code_of_a_class(made: type[ConsoleError], status: int, code: str) -> None:
    assert (made.status, made.default_code) == (status, code)
    assert made("Stop.").code == code


@every_class
def test_a_plain_error_says_its_message_and_nothing_else(made: type[ConsoleError], status: int, code: str) -> None:
    error = made("The run moved on.")
    assert error.to_json() == {"code": code, "message": "The run moved on.", "details": []}
    assert (str(error), error.status) == ("The run moved on.", status)


@every_class
def test_a_code_of_its_own_stands_in_place_of_the_default(made: type[ConsoleError], status: int, code: str) -> None:
    error = made("Stop.", code="run_live")
    assert error.to_json()["code"] == "run_live"
    assert (error.status, made.default_code) == (status, code)


@every_class
def test_what_an_error_adds_stands_beside_its_message(made: type[ConsoleError], status: int, code: str) -> None:
    said = made("Stop.", details=[{"field": "amount", "reason": "Too much."}], run_id="run_1", retry_after=3).to_json()
    assert said == {
        "code": code,
        "message": "Stop.",
        "details": [{"field": "amount", "reason": "Too much."}],
        "run_id": "run_1",
        "retry_after": 3,
    }
    assert made.status == status


@every_class
def test_every_class_is_caught_as_a_console_error(made: type[ConsoleError], status: int, code: str) -> None:
    with pytest.raises(ConsoleError, match="^Stop$") as caught:
        raise made("Stop")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert made.__doc__


def test_no_two_classes_share_a_code() -> None:
    assert len({code for _, _, code in CLASSES}) == len(CLASSES)


def test_every_class_of_the_module_is_in_this_table() -> None:
    assert {made for made in ConsoleError.__subclasses__() if made.__module__ == "console.errors"} <= {made for made, _, _ in CLASSES}


def test_details_are_copies_of_what_was_given() -> None:
    detail: dict[str, Any] = {"field": "a", "reason": "Empty."}
    given = [detail]
    error = Invalid("Stop.", details=given)
    detail["field"] = "b"
    given.clear()
    assert error.details == [{"field": "a", "reason": "Empty."}]


@cases(
    "details",
    [[], [{"field": "a", "reason": "x"}], [{"field": "a", "reason": "x"}, {"field": "b", "reason": "y"}]],
    ids=["none", "one", "two"],
)
@cases("kind", [list, tuple], ids=["list", "tuple"])
def test_details_keep_their_order_whatever_they_came_in(kind: type[Any], details: list[dict[str, str]]) -> None:
    assert Invalid("Stop.", details=kind(details)).to_json()["details"] == details


def test_an_empty_code_is_none() -> None:
    assert Conflict("Stop.", code="").code == "conflict"


class TestNotAllowed:
    """The right that is missing is for the event, not for the answer."""

    @pytest.mark.parametrize(
        "need",
        [("workflow:kyc-review", "start"), ("field:customer/tax_id", "read"), ("policy", "manage")],
        ids=["workflow", "field", "policy"],
    )
    def test_it_knows_the_right_and_does_not_answer_with_it(self, need: tuple[str, str]) -> None:
        error = NotAllowed("Ask an administrator.", need=need)
        assert error.need == need
        assert "need" not in error.to_json()

    def test_without_a_right_it_names_none(self) -> None:
        assert NotAllowed("No.").need == ("", "")


class TestNotFound:
    """What is hidden and what is not there get the same answer."""

    @pytest.mark.parametrize("more", [{}, {"code": "gone"}, {"run_id": "run_1"}], ids=["plain", "code", "extra"])
    def test_the_answer_is_the_same_word_for_word(self, more: dict[str, Any]) -> None:
        hidden, missing = NotFound(hidden=True, **more), NotFound(**more)
        assert hidden.to_json() == missing.to_json()
        assert str(hidden) == str(missing)
        assert (hidden.hidden, missing.hidden) == (True, False)

    def test_it_says_both_possibilities_unless_told_otherwise(self) -> None:
        assert NotFound().message == "There is nothing here, or it is outside what you may see."
        assert NotFound("There is no such page.").message == "There is no such page."


def test_an_expression_that_cannot_be_read_is_a_definition_error() -> None:
    with pytest.raises(DefinitionError) as caught:
        expression("record.")
    assert isinstance(caught.value, ExpressionError)
    assert caught.value.status == 422
    assert caught.value.message


# --- checkpoints: what is refused as malformed, what as unsigned --------------------------------------------------------------------

SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
ROOT = hashlib.sha256(b"root").digest()
NOTE = checkpoint.sign("log.example/a", 7, ROOT, [SEED])
ROOT_TEXT = base64.b64encode(ROOT).decode()


@cases("size", [0, 1, 9, 10, 256, 10**17, 10**18 - 1])
def test_a_checkpoint_of_any_size_is_read_back(size: int) -> None:
    note = checkpoint.sign("log.example/a", size, ROOT, [SEED])
    read_back = checkpoint.verified(note, checkpoint.verifier_key("log.example/a", SEED))
    assert (read_back.origin, read_back.size, read_back.root) == ("log.example/a", size, ROOT)
    assert note.startswith(read_back.text + "\n— log.example/a ")


@pytest.mark.parametrize("size", [-1, 10**18, 10**30], ids=["negative", "too-large", "far-too-large"])
def test_no_checkpoint_of_a_size_that_no_log_has(size: int) -> None:
    with pytest.raises(checkpoint.Malformed, match="size of 0 or more"):
        checkpoint.sign("log.example/a", size, ROOT, [SEED])


@cases(
    ("old", "new"),
    [
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n+7\n"),
        ("\n7\n", "\n-7\n"),
        ("\n7\n", "\n7 \n"),
        ("\n7\n", "\n\n"),
        ("\n7\n", "\n٧\n"),
        ("\n7\n", f"\n{10**18}\n"),
        (ROOT_TEXT, ROOT_TEXT[:-1]),
        (ROOT_TEXT, ROOT_TEXT[4:]),
        (ROOT_TEXT, ""),
        ("— log.example/a", "- log.example/a"),
        ("— log.example/a", "—  log.example/a"),
        ("— log.example/a", "— log+example/a"),
        ("log.example/a\n7", "log example/a\n7"),
        ("\n\n", "\n"),
        ("\n\n", "\n\n\n"),
    ],
    ids=[
        "zero-before",
        "plus",
        "minus",
        "space",
        "no-size",
        "arabic-digit",
        "large",
        "no-padding",
        "short-root",
        "no-root",
        "hyphen",
        "two-spaces",
        "plus-in-name",
        "space-in-origin",
        "no-empty-line",
        "two-empty-lines",
    ],
)
def test_a_note_written_another_way_is_malformed(old: str, new: str) -> None:
    changed = NOTE.replace(old, new, 1)
    assert changed != NOTE
    with pytest.raises(checkpoint.Malformed):
        checkpoint.verified(changed, checkpoint.verifier_key("log.example/a", SEED))


@pytest.mark.parametrize(
    ("note", "origin", "seed"),
    [
        (NOTE, "log.example/a", OTHER),
        (NOTE, "log.example/b", SEED),
        (NOTE.replace("\n7\n", "\n8\n"), "log.example/a", SEED),
        (NOTE.replace(ROOT_TEXT, base64.b64encode(bytes(32)).decode()), "log.example/a", SEED),
    ],
    ids=["another-key", "another-log", "another-size", "another-root"],
)
def test_a_note_that_the_key_did_not_sign_is_unsigned(note: str, origin: str, seed: bytes) -> None:
    with pytest.raises(checkpoint.Unsigned):
        checkpoint.verified(note, checkpoint.verifier_key(origin, seed))


@pytest.mark.parametrize("origin", ["a", "log.example/a", "журнал", "a-b_c.d:e"], ids=["short", "path", "cyrillic", "signs"])
def test_a_verifier_key_is_read_as_it_is_written(origin: str) -> None:
    key = checkpoint.verifier_key(origin, SEED)
    assert checkpoint.parse_key(str(key)) == key
    assert (key.name, len(key.id), len(key.public)) == (origin, checkpoint.ID_BYTES, 32)


def test_the_id_of_a_key_depends_on_its_name_and_on_its_bytes() -> None:
    made = {checkpoint.verifier_key(name, seed).id for name in ("a", "b") for seed in (SEED, OTHER)}
    assert len(made) == 4


@pytest.mark.parametrize("made", [checkpoint.Malformed, checkpoint.Unsigned], ids=["malformed", "unsigned"])
def test_a_checkpoints_errors_are_values_errors_that_no_door_takes_for_its_own(made: type[ValueError]) -> None:
    assert issubclass(made, ValueError)
    assert not issubclass(made, ConsoleError)


# --- the tree: indices and sizes that never were ------------------------------------------------------------------------------------

LEAVES = [hashlib.sha256(bytes([number])).digest() for number in range(9)]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4), (5, 4), (9, 9)])
def test_no_proof_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(IndexError, match=f"a tree of {size} leaves has no leaf {index}"):
        tree.inclusion(index, size, tree.within(LEAVES))
    assert not included(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "size"), [(-1, 0), (1, 0), (5, 4), (-1, 9)])
def test_no_proof_from_a_size_outside_the_tree(old: int, size: int) -> None:
    with pytest.raises(IndexError, match=f"a tree of {size} leaves never had {old}"):
        tree.consistency(old, size, tree.within(LEAVES))
    assert not consistent(old, tree.EMPTY, size, tree.EMPTY, [])


@pytest.mark.parametrize(("size", "old"), [(9, 0), (9, 9), (1, 0), (1, 1), (0, 0)])
def test_nothing_needs_no_proof(size: int, old: int) -> None:
    assert tree.consistency(old, size, tree.within(LEAVES)) == []
    assert consistent(old, tree.root(LEAVES[:old]), size, tree.root(LEAVES[:size]), [])
    assert not consistent(old, tree.root(LEAVES[:old]), size, tree.root(LEAVES[:size]), [LEAVES[0]])


@pytest.mark.parametrize("size", [-1, 10, 11])
def test_tiles_know_no_size_that_they_do_not_have(size: int) -> None:
    tiles = Tiles(Memory())
    tiles.append(LEAVES)
    with pytest.raises(IndexError, match=f"the tree has 9 leaves, not {size}"):
        tiles.root(size)


def test_no_leaves_added_write_no_tile() -> None:
    store = Memory()
    tiles = Tiles(store)
    tiles.append([])
    assert (dict(store), tiles.size, tiles.root()) == ({}, 0, tree.EMPTY)


def test_a_single_leaf_is_its_own_root_and_needs_no_neighbour() -> None:
    assert tree.root(LEAVES[:1]) == LEAVES[0]
    assert tree.inclusion(0, 1, tree.within(LEAVES)) == []
    assert included(LEAVES[0], 0, 1, [], LEAVES[0])
    assert not included(LEAVES[0], 0, 1, [LEAVES[1]], LEAVES[0])


def test_neighbours_have_their_sides() -> None:
    assert tree.node(LEAVES[0], LEAVES[1]) != tree.node(LEAVES[1], LEAVES[0])
    assert tree.node(LEAVES[0], LEAVES[1]) == hashlib.sha256(b"\x01" + LEAVES[0] + LEAVES[1]).digest()


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_neighbour_of_another_length_proves_nothing(length: int) -> None:
    assert not included(LEAVES[0], 0, 2, [b"x" * length], tree.root(LEAVES[:2]))
    assert not consistent(1, LEAVES[0], 2, tree.root(LEAVES[:2]), [b"x" * length])


def test_a_tile_that_was_never_written_is_missing() -> None:
    with pytest.raises(KeyError):
        Tiles(Memory(), 3).root()


# --- settings: what stops the start -------------------------------------------------------------------------------------------------


def test_settings_errors_are_told_and_ill_formed_values_are_not_errors_of_a_door() -> None:
    assert issubclass(SettingsError, ConsoleError)
    assert issubclass(IllFormed, ValueError)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"CONSOLE_NOTHING": "1"}, "CONSOLE_NOTHING is not a setting of this console"),
        ({"CONSOLE_DEMO": "perhaps"}, "CONSOLE_DEMO takes on or off"),
        ({"CONSOLE_TRUSTED_PROXIES": "10"}, "CONSOLE_TRUSTED_PROXIES takes a whole number from 0 to 9"),
        ({"CONSOLE_IDLE_SAVE_MINUTES": "0"}, "CONSOLE_IDLE_SAVE_MINUTES takes a whole number from 1 to 1440"),
        ({"CONSOLE_IDLE_SAVE_MINUTES": "٣"}, "CONSOLE_IDLE_SAVE_MINUTES takes a whole number from 1 to 1440"),
        ({"DATABASE_MIGRATION_URL": "postgresql://h/d"}, "DATABASE_MIGRATION_URL needs DATABASE_URL beside it"),
        ({"CONSOLE_BASE_URL": "ftp://h"}, "CONSOLE_BASE_URL takes http(s)://host[:port][/path]"),
    ],
    ids=["unknown", "switch", "proxies", "minutes", "digits", "migration", "address"],
)
def test_what_stops_the_start_is_one_line(told: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read({"CONSOLE_ENV_FILE": str(tmp_path / "none"), **told})
    assert caught.value.message == said
    assert caught.value.to_json()["code"] == "settings"


@pytest.mark.parametrize("text", ["A", "1A=2", "A B=2", "=2", "export"], ids=["name", "digit", "space", "no-name", "export"])
def test_the_line_of_an_env_file_that_sets_nothing_is_counted(text: str) -> None:
    with pytest.raises(SettingsError, match="^mine, line 3: takes NAME=value$"):
        parse_env(f"# first\n\n{text}\n", "mine")


def test_a_setting_may_be_described_without_being_read() -> None:
    setting = Setting("CONSOLE_X", "x", str.upper, None, "A letter.")
    assert (setting.read("a"), setting.default) == ("A", None)
