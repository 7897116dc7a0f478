"""Letters that were written twice over are told in the preview, and mended where somebody says so; empty cells get what is told for all."""

import io
from dataclasses import replace

from console.contacts import doubled_letters, import_batches, imports
from console.contacts.encodings import ENCODINGS
from console.core.scopes import whole
from console.records import get
from tests.company import Company
from tests.contacts.test_opted_out_lines import club, imported
from tests.tables import cases
from tests.views.test_contact_import import why

__all__ = ["club"]


@cases("text, meant", [
    ("MÃ¼ller", "Müller"), ("ZoÃ«", "Zoë"), ("PetrauskÄ—", "Petrauskė"), ("â‚¬ 5", "€ 5"), ("Ã\u0084rger", "Ärger"), ("ðŸ˜€", "😀"), ("Ð˜Ð²Ð°Ð½", "Иван"),
    ("Müller", "Müller"), ("São João", "São João"), ("À la carte", "À la carte"), ("Ã", "Ã"), ("plain", "plain"), ("à «b»", "à «b»"), ("", ""),
])  # fmt: skip
def test_letters_that_were_written_twice_are_known_and_others_stay(text: str, meant: str) -> None:
    assert doubled_letters.mended(text) == meant
    assert doubled_letters.is_doubled(text) is (text != meant)


def test_the_preview_names_them_and_they_are_mended_where_somebody_says_so(company: Company) -> None:
    text = "name,email,stage\nLea Müller,lea@post.example,new\nBo,bo@post.example,new\n".encode().decode("cp1252")
    looked = imported(company, text, preview=True)
    assert (looked.new, looked.place["doubled"]) == (2, {"lines": 1, "some": ["Lea MÃ¼ller"]})
    again = import_batches.look_again(company.olivia, looked.id, looked.question, doubled_letters.ENCODING)
    assert (again.question.file.encoding, again.place["doubled"]["lines"]) == (doubled_letters.ENCODING, 0)
    import_batches.confirm(company.olivia, again.id)
    assert get("contact", "7", whole("contact")).values["name"] == "Lea Müller"
    assert doubled_letters.ENCODING in ENCODINGS
    sent = import_batches.keep(company.olivia, "contact", io.BytesIO("name,email,stage\nMÃ¼,m@post.example,new\n".encode()))
    assert sent.question.file.encoding == doubled_letters.BASE, "it is never guessed"


def test_what_is_told_for_all_fills_the_empty_cells_of_a_column_and_changes_nobody(company: Company) -> None:
    text = "name,email,stage\nLea,lea@post.example,\nBo,bo@post.example,lost\nKenji Morita,kenji@post.example,\n"
    looked = imported(company, text, preview=True)
    assert why(looked) == {2: ["Stage is needed."], 4: ["Somebody with this Email is there already."]}
    question = replace(looked.question, change=True, same={f"{imports.ALL}stage": "new"})
    wrong = import_batches.look_again(company.olivia, looked.id, replace(question, same={f"{imports.ALL}stage": "odd"}))
    assert list(why(wrong)) == [2]
    again = import_batches.look_again(company.olivia, looked.id, question)
    assert (again.new, again.changed, again.same, again.refused) == (2, 0, 1, 0)
    import_batches.confirm(company.olivia, again.id)
    assert [get("contact", key, whole("contact")).values["stage"] for key in ("7", "8", "5")] == ["new", "lost", "engaged"]
    changed = imported(company, "name,email,stage\nKenji Morita,kenji@post.example,new\n", preview=True)
    given = import_batches.look_again(
        company.olivia, changed.id, replace(changed.question, change=True, same={f"{imports.ALL}stage": "new"})
    )
    assert given.changed == 1, "what the cell says is no filling"
