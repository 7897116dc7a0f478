"""Files that programs for iOS and macOS keep through Core Data: their names and moments are words at once, and what refers to what is offered."""

from pathlib import Path

from console import formats
from console.core.documents.collections import likely_relations
from tests.records.files import assembled


def test_what_core_data_keeps_reads_like_the_program_that_made_it(tmp_path: Path) -> None:
    made = assembled(
        tmp_path,
        """
        create table ZHIKER (Z_PK integer primary key, Z_ENT integer, Z_OPT integer, ZISPREMIUM integer, ZFIRSTNAME varchar, ZLASTNAME varchar,
            ZCREATEDAT timestamp, ZPASSCODEHASH varchar);
        create table ZHIKE (Z_PK integer primary key, Z_ENT integer, Z_OPT integer, ZHIKER integer, ZSTARTEDAT timestamp, ZTITLE varchar);
        create table ZTAG (Z_PK integer primary key, Z_ENT integer, Z_OPT integer, ZLABEL varchar);
        create table Z_2TAGS (Z_2HIKES integer, Z_4TAGS integer, primary key (Z_2HIKES, Z_4TAGS));
        insert into ZHIKER values (1, 3, 1, 0, 'Lena', 'Huber', 700086400.5, 'x'), (2, 3, 4, 1, 'Tom', 'Reed', 0, 'y');
        insert into ZHIKE values (7, 2, 1, 1, 760040000, 'Over the hill');
        """,
    )
    assert {item.label for item in made.values()} == {"Hiker", "Hike", "Tag", "Hike tags"}
    hiker = made["ZHIKER"]
    assert [item.label for item in hiker.fields if not item.hidden] == ["ID", "Is premium", "First name", "Last name", "Created at"]
    assert hiker.by_name["ZISPREMIUM"].type == "boolean"
    assert hiker.title_fields == ("ZFIRSTNAME", "ZLASTNAME")
    for collection, name, value, words in (
        (hiker, "ZCREATEDAT", 700086400.5, "9 Mar 2023, 20:26"),
        (made["ZHIKE"], "ZSTARTEDAT", 760040000, "31 Jan 2025, 18:13"),
    ):
        item = collection.by_name[name]
        assert item.widget == "cocoa"
        assert formats.text(formats.kind(item), value, formats.Look("en", "UTC")) == words
    led = {
        (own.table, item.name): [each.table for each in found]
        for own in made.values()
        for item, found in likely_relations.likely(own, likely_relations.Targets(list(made.values())))
    }
    assert led == {("ZHIKE", "ZHIKER"): ["ZHIKER"], ("Z_2TAGS", "Z_2HIKES"): ["ZHIKE"], ("Z_2TAGS", "Z_4TAGS"): ["ZTAG"]}
