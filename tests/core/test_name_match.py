"""Names of one person in two ways of writing, names that are alike, and names of others."""

from hypothesis import given, strategies as st

from console.core.papers.name_matching import name_match
from tests.tables import cases

SAME = [
    ("Tore Lindqvist", "LINDQVIST TORE"),
    ("Jörg Müller", "JOERG MUELLER"),
    ("Jörg Müller", "Jorg Muller"),
    ("Björn Ångström", "BJOERN AANGSTROEM"),
    ("Søren Kjær", "SOEREN KJAER"),
    ("Łukasz Żółć", "LUKASZ ZOLC"),
    ("Marek Dvořáček", "DVORACEK, MAREK"),
    ("Groß", "GROSS"),
    ("José Núñez", "JOSE NUNEZ"),
    ("Adaeze Okonkwo-Bell", "OKONKWO BELL ADAEZE"),
    ("Johanna van den Berg", "VAN DEN BERG JOHANNA"),
    ("Sean O'Neill", "SEAN ONEILL"),
    ("Юрий Караваев", "KARAVAEV IURII"),
    ("Юрий Караваев", "Karavayev Yuriy"),
    ("Αθηνά", "ATHINA"),
    ("Halcyon Harbour Trading B.V.", "HALCYON HARBOUR TRADING BV"),
    ("  Anna   Maria ", "anna maria"),
]
ALIKE = [
    ("Tore Lindqvist", "Tore Lindquist"),
    ("Anna Maria Eriksson", "ERIKSSON ANNA"),
    ("Brightwater Logistik GmbH", "Bright Water Logistics GmbH"),
    ("Bright Water", "Brightwater"),
    ("Юрий Караваев", "Karavaev Yuriy"),
    ("Katarzyna Nowak", "Katarzina Nowak"),
]
OTHERS = [
    ("Anna Eriksson", "Bo Nilsson"),
    ("Tore Lindqvist", "Tore Hansen"),
    ("Anna", "Anna Maria"),
    ("", "Anna"),
    ("---", "Anna"),
    ("王小明", "Wang Xiaoming"),
    ("Alder & Finch Print GmbH", "Fernwick Pay UAB"),
]


@cases(("left", "right"), SAME)
def test_the_same_name(left: str, right: str) -> None:
    assert name_match(left, right) == name_match(right, left) == "match"


@cases(("left", "right"), ALIKE)
def test_names_that_are_alike(left: str, right: str) -> None:
    assert name_match(left, right) == name_match(right, left) == "close"


@cases(("left", "right"), OTHERS)
def test_names_of_others(left: str, right: str) -> None:
    assert name_match(left, right) == name_match(right, left) == "no_match"


@given(st.text(max_size=40), st.text(max_size=40))
def test_it_is_the_same_either_way_round(left: str, right: str) -> None:
    assert name_match(left, right) == name_match(right, left)
