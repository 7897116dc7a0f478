"""Whether a company that somebody wants to buy from is known already: compared with every supplier by what tells companies apart."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz

from console.core.expressions.functions import host
from console.core.expressions.operands import number_of
from console.core.papers.iban import normalise
from console.demo.ledger import FORMS

if TYPE_CHECKING:
    from console.steps.effects.python import Door

MOST = 20
WHOLE = 5_000
"""Of more suppliers only so many are compared."""


def match(values: Mapping[str, Any], key: str, door: "Door") -> Mapping[str, Any]:
    """Suppliers that agree with `name`, `vat_id`, `register_no`, `iban` or `website`, those that agree in most first.

    Numbers are compared by their letters and digits, names without the legal form, from the score `alike` (0 to 1) on. Answers `keys`, `count`,
    `compared` (with how many), `whole` (whether these are all), and `told`: one line of Markdown for each with the keys that agree.
    """
    del key  # looking changes nothing
    least = float(number_of(str(values.get("alike") or "0.88")) or 1)
    wanted = {name: normalise(str(values.get(name) or "")) for name in ("vat_id", "register_no", "iban")}
    site, company = host(None, values.get("website") or ""), _core(str(values.get("name") or ""))
    holders = (
        {
            record.values["supplier_id"]
            for record in door.find("supplier_bank_account", {"iban": wanted["iban"]})
        }
        if wanted["iban"]
        else set()
    )
    among = door.every("supplier", most=WHOLE + 1)
    found, whole = [], len(among) <= WHOLE
    for record in among:
        supplier = record.values
        agrees = [
            label
            for name, label in (("vat_id", "VAT id"), ("register_no", "register number"))
            if wanted[name] and normalise(supplier[name] or "") == wanted[name]
        ]
        agrees += ["IBAN"] if supplier["id"] in holders else []
        agrees += (
            ["domain"]
            if site and site in {host(None, supplier["website"] or ""), host(None, supplier["main_email"])}
            else []
        )
        score = fuzz.ratio(company, _core(supplier["legal_name"])) / 100 if company else 0.0
        if agrees or score >= least:
            agrees += [f"name ({score:.2f})"] if score >= least else []
            found.append((len(agrees), score, supplier, agrees))
    best = sorted(found, key=lambda one: (-one[0], -one[1], one[2]["id"]))[:MOST]
    lines = [
        f"{told['legal_name']} (SUP-{told['id']:04d}, {told['status']}): {', '.join(agrees)}"
        for _, _, told, agrees in best
    ]
    return {
        "keys": [told["id"] for _, _, told, _ in best],
        "count": len(found),
        "compared": len(among),
        "whole": whole,
        "told": "; ".join(lines),
    }


def _core(name: str) -> str:
    """A company's name without its legal form, in small letters and without blanks: `Bright Water Logistics GmbH` is `brightwaterlogistics`."""
    words = "".join(
        sign if sign.isalnum() else " " if sign != "." else "" for sign in name.casefold()
    ).split()
    return "".join(word for word in words if word not in FORMS)
