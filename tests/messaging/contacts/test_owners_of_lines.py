"""Owners in a file: known by name in either order, and named in the preview where they have no account."""

from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from tests.company import Company
from tests.messaging.contacts.test_opted_out_lines import club, imported

__all__ = ["club"]


def test_owners_without_an_account_are_named_once_and_a_family_name_may_stand_first(company: Company) -> None:
    [(account,)] = fetch(
        "update console.person set name = 'Rosa Blum' where id = %s returning lower(email)",
        (company.rosa.id,),
    )
    name, given, family = "Rosa Blum", "Rosa", "Blum"
    owners = ("Olivia Stone", name, f'"{family}, {given}"', "Olivia Stone", account, "No Body")
    lines = "".join(f"N{number},n{number}@post.example,new,{owner}\n" for number, owner in enumerate(owners))
    looked = imported(company, f"name,email,stage,owner\n{lines}", preview=True)
    assert (looked.new, looked.place["strangers"]) == (6, ["Olivia Stone", "No Body"])
    first = import_batches.first_lines(company.olivia, looked)[1]
    assert first[1].values["owner"] == first[2].values["owner"] == account
