"""Names of time zones as people, files and other systems write them."""

from console.core.moments import is_zone
from tests.tables import cases


@cases(
    ("name", "good"),
    [
        ("Europe/Vilnius", True),
        ("UTC", True),
        ("America/Argentina/Buenos_Aires", True),
        ("Etc/GMT+5", True),
        ("europe/vilnius", False),
        ("Europe/Vilnius ", False),
        ("Europe", False),
        ("Europe/", False),
        ("Europe/Nowhere", False),
        ("", False),
        (".", False),
        ("../../etc/passwd", False),
        ("/etc/localtime", False),
        ("a\x00b", False),
        ("\ud800", False),
        ("x" * 5000, False),
        ("+02:00", False),
        ("CEST", False),
    ],
)
def test_a_zone_is_called_as_the_list_calls_it(name: str, good: bool) -> None:
    """Whatever comes, it is an answer: none of these is a fault, and none reads a file outside the list."""
    assert is_zone(name) is good
