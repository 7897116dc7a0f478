"""`console absence` as somebody at a shell uses it."""

from datetime import timedelta

from click.testing import CliRunner, Result

from console import log
from console.auth.accounts import absences
from console.commands.absence import absence
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.company import Company

TODAY = log.now().date()


def run(*told: str) -> Result:
    return CliRunner().invoke(absence, list(told))


def plan(email: str, days: int, substitute: str) -> Result:
    first, last = (str(TODAY + timedelta(days=number)) for number in (days, days + 3))
    return run("plan", email, "--first", first, "--last", last, "--substitute", substitute)


def test_absences_from_the_shell(company: Company) -> None:
    tom, mona = (accounts_address(company, name) for name in ("tom", "mona"))
    said = plan(tom, -1, mona)
    assert said.exit_code == 0, said.output
    assert said.output.rstrip().endswith("stands in")
    assert run("list").output == run("list", tom).output == said.output
    assert absences.substitute_of(company.tom.id, absences.people_away()) == company.mona.id
    assert isinstance(plan(tom, 1, mona).exception, Conflict)
    assert isinstance(plan(tom, 40, tom).exception, Invalid)
    assert run("plan", tom, "--first", "soon", "--last", "later", "--substitute", mona).exit_code == 2
    assert isinstance(plan("nobody@fernwick.example", 1, mona).exception, (NotFound, NotAllowed))
    plan(tom, 40, mona)
    assert "is no longer away" in run("end", tom).output
    assert run("list").output == ""
    assert isinstance(run("end", tom, "--first", str(TODAY)).exception, NotFound)
    assert run("end", tom, "--first", str(TODAY + timedelta(days=40))).exit_code == 0
    assert run("list", tom).output == ""
    assert isinstance(run("end", tom).exception, NotFound)


def accounts_address(company: Company, name: str) -> str:
    from console.auth import accounts

    return accounts.person(company.people[name].id).email
