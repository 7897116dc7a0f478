"""Person × address × record of somebody else's subject, on the demo as it runs: what leads to a customer out of scope answers as what does not exist.

Which records lead there is told by the columns alone (`customer_id`, `charge_id`, …), not by the relations that the console knows. For each person of
the demo and each collection: some records that lead to a customer whom they may not read, asked at every address of the API and of the pages that takes
a record, beside a key that nobody has; then lists, filters, searches, counts and references written. Prints how much was asked and each difference;
exit 1 where there is one. `python bench/matrix.py --data DIR [--records N]` with the data folder of a running demo.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LEADS = {
    "customer_id": "customer",
    "charge_id": "charge",
    "iban": "account",
    "ticket_id": "ticket",
    "party_id": "party",
    "owner_id": "party",
    "owned_id": "party",
    "company_id": "party",
    "person_id": "party",
    "run_id": "screening_run",
    "hit_id": "screening_hit",
}
"""Column → the collection whose key it holds."""
PAGES = ("", "/menu", "/why")
MISSING = {"id": "1000000007", "iban": "NL00NONE0000000000"}


@dataclass
class Person:
    """Somebody of the demo: their key of the API, and the customers that they may read."""

    name: str
    key: str
    customers: frozenset[str] = frozenset()
    cookie: str = ""


@dataclass
class Found:
    """What was asked, by kind, and what differed."""

    asked: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)

    def leak(self, text: str) -> None:
        """Note a difference."""
        self.leaks.append(text)
        print("LEAK", text, flush=True)


class Demo:
    """The running demo, asked by HTTP."""

    def __init__(self, data: Path) -> None:
        self.data, told = data, json.loads((data / "demo.json").read_text())
        self.url, self.people = told["url"], told["people"]
        self.read: dict[tuple[str, str], dict[str, Any] | None] = {}

    def call(self, key: str, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and text of an answer of the API."""
        request = urllib.request.Request(
            self.url + path if path.startswith("/api/") else f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def all(self, key: str, path: str, most: int = 10**6) -> list[dict[str, Any]]:
        """The rows of a list, page by page; none where it is not there."""
        rows: list[dict[str, Any]] = []
        after = ""
        while len(rows) < most:
            status, text = self.call(key, "GET", path + ("&" if "?" in path else "?") + "limit=100" + after)
            if status != 200:
                return rows
            told = json.loads(text)
            rows += told["data"]
            if not told.get("next"):
                break
            after = f"&after={quoted(told['next'])}"
        return rows

    def key_of(self, person: dict[str, Any]) -> str:
        """A new key of the person."""
        made = subprocess.run(
            [
                ROOT / ".venv/bin/console",
                "apikey",
                "create",
                f"matrix-{os.getpid()}",
                "--user",
                person["email"],
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "CONSOLE_DATA_DIR": str(self.data)},
        )
        return made.stdout.strip()

    def page(self, person: Person, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        request = urllib.request.Request(self.url + path, headers={"Cookie": person.cookie})
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace").replace(
                    answer.headers["X-Request-Id"] or "-", ""
                )
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace").replace(
                error.headers["X-Request-Id"] or "-", ""
            )

    def sign_in(self, person: Person, told: dict[str, Any]) -> None:
        """Give the person a session."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), _Stay)
        with opener.open(self.url + "/sign-in") as answer:
            token = re.search(r'csrf_token" value="([^"]+)', answer.read().decode())
        fields = urllib.parse.urlencode(
            {"csrf_token": token[1] if token else "", "email": told["email"], "password": told["password"]}
        )
        request = urllib.request.Request(
            self.url + "/sign-in", data=fields.encode(), headers={"Origin": self.url}
        )
        try:
            opener.open(request)
        except urllib.error.HTTPError as error:
            if error.code != 303:
                raise
        jar = next(
            handler
            for handler in vars(opener)["handlers"]
            if isinstance(handler, urllib.request.HTTPCookieProcessor)
        ).cookiejar
        person.cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)

    def customer_of(self, whole: str, collection: str, values: dict[str, Any], depth: int = 0) -> set[str]:
        """Customers that the columns of a record lead to, read with the key of who sees everything."""
        if collection == "customer":
            return {str(values["id"])}
        found: set[str] = set()
        for column, target in LEADS.items():
            part = values.get(column)
            if part is None or target == collection or depth > 4:
                continue
            if target == "customer":
                found.add(str(part))
                continue
            there = (target, str(part))
            if there not in self.read:
                status, text = self.call(whole, "GET", f"/collections/{target}/records/{quoted(part)}")
                self.read[there] = json.loads(text)["values"] if status == 200 else None
            if self.read[there]:
                found |= self.customer_of(whole, target, self.read[there] or {}, depth + 1)
        return found


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def quoted(part: Any) -> str:
    """Fit for a URL."""
    return urllib.parse.quote(str(part), safe="")


def same(one: tuple[int, str], other: tuple[int, str], *names: str) -> bool:
    """Whether two answers are alike but for the keys that were asked for and the number of the request."""
    texts = []
    for status, whole in (one, other):
        text = whole
        for form in sorted((form for name in names for form in {name, quoted(name)}), key=len, reverse=True):
            text = (
                text.replace(form, "·")
                if len(form) > 2
                else re.sub(rf"(?<![\w]){re.escape(form)}(?![\w])", "·", text)
            )
        texts.append(
            (
                status,
                re.sub(
                    r"req[a-z_-]*[\"']?\s*[:=]?\s*[\"']?[\w-]{8,}|nonce=.[\w+/=-]+|csrf[^>]{0,200}", "", text
                ),
            )
        )
    return texts[0] == texts[1]


def ask(
    demo: Demo,
    who: Person,
    collection: dict[str, Any],
    record: dict[str, Any],
    paths: dict[str, Any],
    found: Found,
) -> None:
    """Every address that takes a record, of this one and of one that nobody has."""
    name, key = collection["id"], record["key"]
    missing = MISSING["iban"] if not key.isdigit() else MISSING["id"]
    if key.startswith("~"):
        missing = key[:-4] + ("AAAA" if key[-4:] != "AAAA" else "BBBB")
    for path, methods in sorted(paths.items()):
        if "{collection}" not in path or "{key}" not in path:
            continue
        for method in sorted(set(methods) & {"get", "post", "put", "patch", "delete"}):
            for relation in collection["relations"] if "{relation}" in path else [""]:
                told = path.replace("{collection}", name).replace("{relation}", quoted(relation))
                told = re.sub(r"{(?!key)\w+}", "1", told)
                body = None if method == "get" else {"values": {}, "expected": {}, "reason": "x"}
                real, none = (
                    demo.call(who.key, method.upper(), told.replace("{key}", quoted(each)), body)
                    for each in (key, missing)
                )
                found.asked["api"] += 1
                if real[0] < 400 or real[0] >= 500 or not same(real, none, key, missing):
                    found.leak(
                        f"{who.name} {method.upper()} {told} {key}: {real[0]} {real[1][:80]!r}, missing {none[0]} {none[1][:80]!r}"
                    )
    for rest in (*PAGES, *(f"/related/{quoted(relation)}" for relation in collection["relations"][:3])):
        real, none = (demo.page(who, f"/c/{name}/{quoted(each)}{rest}") for each in (key, missing))
        found.asked["page"] += 1
        if real[0] != 404 or not same(real, none, key, missing):
            found.leak(f"{who.name} page /c/{name}/{key}{rest}: {real[0]}, missing {none[0]}")


def told_of(
    demo: Demo, who: Person, collection: dict[str, Any], record: dict[str, Any], found: Found
) -> None:
    """Filters, search and counts that could tell of the record."""
    name = collection["id"]
    at = f"/collections/{name}/records?count=1&limit=100"
    tests = [
        {"field": each, "op": "eq", "value": record["values"][each]}
        for each in collection["key"]
        if each in record["values"]
    ]
    status, text = demo.call(who.key, "GET", f"{at}&filter={quoted(json.dumps({'and': tests}))}")
    found.asked["filter"] += 1
    if status == 200 and (json.loads(text)["data"] or json.loads(text).get("total")):
        found.leak(f"{who.name} filter of {name} by the key {record['key']}: {text[:80]}")
    for each, value in record["values"].items():
        if isinstance(value, str) and len(value) > 6:
            status, text = demo.call(who.key, "GET", f"{at}&q={quoted(value[:60])}")
            found.asked["search"] += 1
            if status == 200 and any(row["key"] == record["key"] for row in json.loads(text)["data"]):
                found.leak(f"{who.name} search of {name} for {each} finds {record['key']}")
            break


def listed(
    demo: Demo, who: Person, whole: str, collection: dict[str, Any], found: Found, most: int
) -> list[dict[str, Any]]:
    """The rows that the person's list shows; none of them may lead to a customer out of scope."""
    rows = demo.all(who.key, f"/collections/{collection['id']}/records", most)
    for row in rows:
        found.asked["listed"] += 1
        if foreign := demo.customer_of(whole, collection["id"], row["values"]) - who.customers:
            found.leak(
                f"{who.name} list of {collection['id']} shows {row['key']}, of customer {min(foreign)}"
            )
            break
    return rows


def main() -> int:
    """Ask, print, judge."""
    parser = argparse.ArgumentParser(description="Person × address × record of a foreign subject.")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument(
        "--records", type=int, default=3, help="foreign records asked for of each collection and person"
    )
    given = parser.parse_args()
    demo, found = Demo(given.data), Found()
    keys = {person["email"].split("@")[0]: demo.key_of(person) for person in demo.people}
    whole = keys["mona"]
    paths = json.loads(demo.call(keys["admin"], "GET", "/api/openapi.json")[1])["paths"]
    collections = [
        json.loads(demo.call(whole, "GET", f"/collections/{one['id']}")[1])
        for one in demo.all(whole, "/collections")
    ]
    for one in collections:
        one["relations"] = [relation["name"] for relation in one["relations"]]
    samples = {one["id"]: sampled(demo, whole, one["id"]) for one in collections}
    for person in demo.people:
        who = Person(person["email"].split("@")[0], keys[person["email"].split("@")[0]])
        listed_for = (
            whole if demo.call(who.key, "GET", "/collections/customer/records")[0] == 404 else who.key
        )
        every = [row["key"] for row in demo.all(listed_for, "/collections/customer/records")]
        sees = (
            listed_for == who.key
            or demo.call(who.key, "GET", f"/collections/customer/records/{every[0]}")[0] == 200
        )  # who reads, and lists nothing
        who.customers = frozenset(every if sees else ())
        demo.sign_in(who, person)
        before = sum(found.asked.values())
        for one in collections:
            foreign = [
                row
                for row in samples[one["id"]]
                if demo.customer_of(whole, one["id"], row["values"]) - who.customers
            ]
            for record in foreign[: given.records]:
                if one["key"]:
                    ask(demo, who, one, record, paths, found)
                told_of(demo, who, one, record, found)
            listed(demo, who, whole, one, found, 200)
        print(
            f"{who.name:8} {len(who.customers):5} customers, {sum(found.asked.values()) - before} asked",
            flush=True,
        )
    print(
        json.dumps({"asked": dict(found.asked), "all": sum(found.asked.values()), "leaks": len(found.leaks)})
    )
    return 1 if found.leaks else 0


def sampled(demo: Demo, whole: str, collection: str) -> list[dict[str, Any]]:
    """Some rows from both ends of the list, and some of a corporate customer where there are any."""
    at = f"/collections/{collection}/records"
    return demo.all(whole, at, 100) + demo.all(whole, f"{at}?sort=-id", 100)


if __name__ == "__main__":
    sys.exit(main())
