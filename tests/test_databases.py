"""What tests are lent is as it was furnished last."""

from console.auth import accounts
from tests.conftest import Companies


def test_a_company_that_was_furnished_again_is_lent_as_it_is_now(companies: Companies) -> None:
    """As where a process comes back to a module whose other tests another process took."""
    for number in (1, 2):
        with companies.furnished("twice"):
            accounts.create_person(
                f"guest{number}@example.com",
                role="operator",
                team="operations",
                name=f"Guest {number}",
                password="a long one for a test",
            )
        with companies.lent("twice"):
            assert [one.name for one in accounts.people() if one.name.startswith("Guest")] == [
                f"Guest {number}"
            ]
