"""Functions that the demo's actions call: the screening of names, the comparison with known suppliers, and the keeping of an assessment."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from console import log
from console.core.errors import Conflict, Invalid
from console.core.plain_words import day_words
from console.demo import known_suppliers
from console.demo.ledger import FORMS
from console.demo.romanise import latin, sound
from console.formats import code_name

if TYPE_CHECKING:
    from console.records import Record
    from console.steps.effects.python import Door

SHOWN = 0.85  # from which score on two names are a hit
LIKE = SHOWN - 0.1  # what agrees besides the name adds less than that
LEVELS = ("low", "medium", "high", "prohibited")
SAME, NEAR, COMPANY = "same", "near", "company"
MOST_COMPARED = 300  # hits that a review goes through, in its order: the limit of its list
IDENTITY = (
    "display_name",
    "name_original",
    "birth_date",
    "birth_place",
    "nationalities",
    "residence_country",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whose name is compared."""

    kind: str
    ref: str
    names: tuple[str, ...]
    births: frozenset[str]
    countries: frozenset[str]
    birth_place: str = ""
    company: bool = False

    def digest(self) -> str:
        """What tells whether anything about them has changed since."""
        identity = [
            self.kind,
            self.ref,
            sorted(self.names),
            sorted(self.births),
            sorted(self.countries),
            self.birth_place,
        ]
        return hashlib.sha256(json.dumps(identity, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a list with all its names, and these in their common form."""

    id: int
    version: int
    kind: str
    names: tuple[str, ...]
    sounds: tuple[tuple[str, ...], ...]
    births: frozenset[str]
    countries: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """Entries by the words of their names, so that a subject is compared with those alone that may be like it."""

    entries: list[Entry]
    by_name: dict[str, list[int]] = field(default_factory=dict)
    by_word: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: list[Entry]) -> "Listed":
        """The entries, sorted in."""
        made = cls(entries)
        for number, entry in enumerate(entries):
            for name in {name for sounds in entry.sounds for name in sounds}:
                made.by_name.setdefault(name, []).append(number)
                for word in name.split():
                    made.by_word.setdefault(word, set()).add(number)
        return made

    def like(self, subject: Subject) -> list[Entry]:
        """Every entry whose name `_alike` may call `LIKE` the subject's: as a whole, or by one word."""
        found = set[int]()
        for spelling in _spellings(subject):
            for name, *_ in process.extract(
                spelling,
                list(self.by_name),
                scorer=fuzz.token_sort_ratio,
                score_cutoff=100 * LIKE,
                limit=None,
            ):
                found.update(self.by_name[name])
            for own in set(spelling.split()):
                for word, *_ in process.extract(
                    own, list(self.by_word), scorer=JaroWinkler.similarity, score_cutoff=LIKE, limit=None
                ):
                    found |= self.by_word[word]
        return [self.entries[number] for number in sorted(found)]


@dataclass(frozen=True, slots=True)
class Screenings:
    """What is known of these subjects: their screenings, oldest first, and the hits of each. Two statements, however many they are."""

    runs: dict[tuple[str, str], "list[Record]"]
    hits: dict[Any, "list[Record]"]

    @classmethod
    def of(cls, door: "Door", subjects: Iterable[Subject]) -> "Screenings":
        """As they are in the database now."""
        made = cls({(subject.kind, subject.ref): [] for subject in subjects}, {})
        named = {
            "subject_kind": sorted({kind for kind, _ in made.runs}),
            "subject_ref": sorted({ref for _, ref in made.runs}),
        }
        for run in sorted(door.every("screening_run", named), key=_when):
            made.runs.get((run.values["subject_kind"], run.values["subject_ref"]), []).append(run)
        ids = [run.values["id"] for runs in made.runs.values() for run in runs]
        for hit in door.every("screening_hit", {"run_id": ids}) if ids else ():
            made.hits.setdefault(hit.values["run_id"], []).append(hit)
        return made

    def add(self, subject: Subject, run: "Record", hits: "list[Record]") -> None:
        """One that was made now."""
        self.runs[subject.kind, subject.ref].append(run)
        self.hits[run.values["id"]] = hits

    def same(self, subject: Subject, versions: Mapping[str, str]) -> "Record | None":
        """The screening of the same data against the same versions, where there is one."""
        digest, runs = subject.digest(), self.runs[subject.kind, subject.ref]
        return next(
            (
                run
                for run in runs
                if run.values["subject_hash"] == digest and run.values["list_versions"] == versions
            ),
            None,
        )

    def undecided(self, subject: Subject) -> "list[Record]":
        """Hits of the subject that nobody has decided, of its newest screening and of those before: each entry once.

        One that is the same person is asked about again: it stands as long as nobody says otherwise.
        """
        hits = [hit for _, hit in self._of(subject)]
        newest = {hit.values["entry_id"]: hit for hit in hits}
        open_ = [hit for hit in hits if hit.values["status"] in ("open", "needs_more")]
        same = [hit for hit in newest.values() if hit.values["status"] == "true_match"]
        return list({hit.values["entry_id"]: hit for hit in (*open_, *same)}.values())

    def cleared(self, subject: Subject) -> dict[tuple[int, int], "Record"]:
        """(entry, its version) → the newest hit of this subject that was cleared as false, where nothing about the subject has changed since."""
        digest = subject.digest()
        return {
            (hit.values["entry_id"], hit.values["entry_version"]): hit
            for run, hit in self._of(subject)
            if run.values["subject_hash"] == digest and hit.values["status"] == "false_positive"
        }

    def _of(self, subject: Subject) -> "Iterable[tuple[Record, Record]]":
        return (
            (run, hit)
            for run in self.runs[subject.kind, subject.ref]
            for hit in self.hits.get(run.values["id"], ())
        )


def screen(values: Mapping[str, Any], key: str, door: "Door") -> Mapping[str, Any]:
    """Compare a customer (`collection`, `key`), its owners and officers with every list; a screening and its hits per subject are kept.

    A subject that has not changed since its last screening against the same lists keeps that one. A hit that was cleared stays so until subject or entry
    changes. Answers counts (subjects, lists, hits, open, carried, unchanged), `unchanged_since` (the first day of the screenings that stand), `told` (all that for people), `undecided` (keys of the hits that somebody has to decide), `compared` (by
    such a key what stands on either side, of the first that somebody goes through), `screened_against` (name of a list → its version) and `customer` (what was screened of the customer).
    """
    del key  # the database holds one screening per subject, its data and the versions of the lists
    subjects = _subjects(str(values.get("collection") or "customer"), str(values["key"]), door)
    lists = [
        {**record.values, "version": _as_of(str(record.values["version"]))}
        for record in door.every("watchlist")
    ]
    versions = {list_row["code"]: list_row["version"] for list_row in lists}
    counts = dict.fromkeys(("hits", "carried", "unchanged"), 0)
    listed: Listed | None = None
    before = Screenings.of(door, subjects)
    runs, undecided, stand = [], dict[str, tuple[Subject, "Record"]](), list[str]()
    for subject in subjects:
        row = {
            "subject_kind": subject.kind,
            "subject_ref": subject.ref,
            "subject_hash": subject.digest(),
            "list_versions": versions,
        }
        run = before.same(subject, versions)
        if run is not None:
            counts["unchanged"] += 1
            stand.append(str(run.values["at"])[:10])
        else:
            listed = listed or Listed.of(_entries(door))
            run = _screened(door, subject, row, str(values.get("reason") or "event"), listed, before)
        hits = before.hits.get(run.values["id"], [])
        counts["hits"] += len(hits)
        counts["carried"] += sum(hit.values.get("carried_from_id") is not None for hit in hits)
        undecided |= {str(hit.key): (subject, hit) for hit in before.undecided(subject)}
        runs.append(run.key)
    first = sorted(
        undecided.items(),
        key=lambda each: (Decimal(str(each[1][1].values["score"])), each[1][1].values["id"]),
        reverse=True,
    )
    told_of = _comparisons(
        door, dict(first[:MOST_COMPARED])
    )  # the order of the review's list: by score, of equal ones the newest first
    customer = door.get("customer", str(values["key"])).values
    seen = {name: customer.get(name) for name in IDENTITY}
    seen["country_level"] = _worst(door, customer)
    counts |= {"open": len(undecided), "subjects": len(subjects), "lists": len(versions)}
    since = min(stand, default=None)
    return {
        **counts,
        "unchanged_since": since,
        "told": _screening_sentence(len(subjects), len(lists), len(undecided), len(stand), since),
        "runs": runs,
        "versions": versions,
        "screened_against": {list_row["name"]: list_row["version"] for list_row in lists},
        "undecided": [hit.values["id"] for _, hit in undecided.values()],
        "compared": told_of,
        "customer": seen,
    }


def _screening_sentence(names: int, lists: int, undecided: int, stand: int, since: str | None) -> str:
    """What was compared and found, for people."""
    open_hits = f"{undecided or 'no'} open {'hit' if undecided < 2 else 'hits'}"
    former = (
        f" Of these, {stand} had not changed since the screening of {day_words(since)} against the same lists: it stands."
        if since
        else ""
    )
    return f"{names} {'name' if names == 1 else 'names'} compared with {lists} lists: {open_hits}.{former}"


def _worst(door: "Door", customer: Mapping[str, Any]) -> str:
    """The worst level among the countries of the customer, its owners and the companies between."""
    codes = {customer.get("residence_country"), *(customer.get("nationalities") or [])}
    above, seen = (
        [company.values["id"] for company in door.find("party", {"customer_id": customer["id"]})],
        set[int](),
    )
    while above := [party for party in above if party not in seen]:
        seen |= set(above)
        for values in _parties(door, above).values():
            codes |= {values.get("country"), values.get("nationality")}
        holdings = door.every("ownership", {"owned_id": above})
        above = list(
            dict.fromkeys(
                holding.values["owner_id"] for holding in holdings if holding.values["until"] is None
            )
        )
    levels = {door.get("country_risk", code).values["level"] for code in sorted(filter(None, codes))}
    return max(levels, key=LEVELS.index, default="medium")


def _comparisons(
    door: "Door", undecided: Mapping[str, tuple[Subject, "Record"]]
) -> dict[str, dict[str, Any]]:
    """Key of a hit → subject and entry side by side, as texts: what a person compares before a hit is decided."""
    wanted = list(dict.fromkeys(hit.values["entry_id"] for _, hit in undecided.values()))
    entries = (
        {entry.values["id"]: entry.values for entry in door.every("watchlist_entry", {"id": wanted})}
        if wanted
        else {}
    )
    others: dict[Any, list[str]] = {}
    for alias in door.every("watchlist_alias", {"entry": wanted}) if wanted else ():
        others.setdefault(alias.values["entry"], []).append(alias.values["name"])
    lists = {listed.key: listed.values for listed in door.every("watchlist")}
    told = {}
    for key, (subject, hit) in undecided.items():
        entry = entries[hit.values["entry_id"]]
        told[key] = _compare(subject, hit, entry, others.get(entry["id"], []), lists[str(entry["list"])])
    return told


def _compare(
    subject: Subject, hit: "Record", entry: Mapping[str, Any], others: list[str], listed: Mapping[str, Any]
) -> dict[str, Any]:
    sides = {
        "names": (subject.names, (entry["name"], *others)),
        "birth_date": (sorted(subject.births), entry.get("birth_dates") or ()),
        "countries": (_countries(sorted(subject.countries)), _countries(entry.get("nationalities") or ())),
    }
    comparison: dict[str, Any] = {
        "subject": subject.names[0],
        "entry": entry["name"],
        "list": listed["name"],
        "kind": listed["kind"],
    }
    comparison |= {
        "programme": entry.get("programme"),
        "version": entry["version"],
        "score": str(hit.values["score"]),
    }
    comparison |= {"birth_place": subject.birth_place, "listed_birth_place": entry.get("birth_place") or ""}
    for name, (own, theirs) in sides.items():
        comparison |= {name: ", ".join(map(str, own)), f"listed_{name}": ", ".join(map(str, theirs))}
    matched = hit.values.get("matched_on") or {}
    comparison["names_are"] = SAME if _words(subject.names) & _words([matched.get("name", "")]) else "alike"
    comparison["birth_place_is"] = _places(comparison["birth_place"], comparison["listed_birth_place"])
    return comparison | {
        "birth_date_is": matched.get("birth_date", "unknown"),
        "nationality_is": matched.get("nationality", "unknown"),
    }


def _words(names: Iterable[str]) -> set[frozenset[str]]:
    """The words of each spelling of these names, in whatever order."""
    return {frozenset(spelling.split()) for name in names for spelling in latin(name)}


def _places(own: str, listed: str) -> str:
    """same, unlike, or unknown where a side says nothing. Unlike is not different: a town may have two names, such as Semey and Semipalatinsk."""
    if not own or not listed:
        return "unknown"
    return SAME if set(_sounds(own)) & set(_sounds(listed)) else "unlike"


def _countries(codes: Iterable[str]) -> list[str]:
    """The countries by name."""
    return [code_name("country", code, "en") for code in codes]


def _as_of(version: str) -> str:
    """The version of a list at the moment: in the moved clock of the past weeks, the one of its week, since a new one comes every seven days."""
    if not log.moved_by():
        return version
    day = datetime.strptime(version, "%Y.%m.%d").replace(tzinfo=UTC)
    return f"{day - max(0, -((log.now() - day) // timedelta(7))) * timedelta(7):%Y.%m.%d}"


def _screened(
    door: "Door", subject: Subject, row: Mapping[str, Any], reason: str, listed: Listed, before: Screenings
) -> "Record":
    """A new screening with its hits, both or neither. Two at once: the database keeps one, and the other finds all its hits."""
    found = [
        (entry, score, matched)
        for entry in listed.like(subject)
        for score, matched in [_compared(subject, entry)]
        if score >= SHOWN
    ]
    cleared, waiting = (
        before.cleared(subject),
        {(hit.values["entry_id"], hit.values["entry_version"]) for hit in before.undecided(subject)},
    )
    hits: list[Mapping[str, Any]] = []
    for entry, score, matched in sorted(found, key=lambda hit: -hit[1]):
        if (entry.id, entry.version) in waiting:
            continue  # the hit of an earlier screening still has to be decided
        former = cleared.get((entry.id, entry.version))
        made = {
            "entry_id": entry.id,
            "entry_version": entry.version,
            "score": f"{score:.3f}",
            "matched_on": matched,
        }
        kept = (
            {
                "status": former.values["status"],
                "reason_code": "already_cleared",
                "carried_from_id": former.values["id"],
            }
            if former
            else {"status": "open"}
        )
        hits.append({**made, **kept})
    values = {**row, "reason": reason, "hits": len(found), "at": log.now().isoformat()}
    try:
        run, new = door.insert_with("screening_run", values, "screening_hit", "run_id", hits)
    except Conflict:
        there = Screenings.of(door, [subject])
        run_there = there.same(subject, row["list_versions"])
        if run_there is None:
            raise
        before.add(subject, run_there, there.hits.get(run_there.values["id"], []))
        return run_there
    before.add(subject, run, new)
    return run


def _when(record: "Record") -> str:
    return str(record.values["at"])


def _subjects(collection: str, key: str, door: "Door") -> list[Subject]:
    """The customer, and of a company its owners and officers; each once."""
    if collection != "customer":
        raise Invalid(f"Records of {collection} are not screened: start from a customer.")
    customer = door.get("customer", key).values
    found = [
        Subject(
            "customer",
            str(customer["id"]),
            _names(customer, "display_name", "name_original"),
            _as_set(customer.get("birth_date")),
            frozenset(
                filter(None, [*(customer.get("nationalities") or []), customer.get("residence_country")])
            ),
            customer.get("birth_place") or "",
            customer["kind"] == COMPANY,
        )
    ]
    parties = [
        record.values["party_id"]
        for record in door.every("ownership_effective", {"customer_id": customer["id"]})
    ]
    parties += [
        record.values["party_id"]
        for record in door.every("beneficial_owner", {"customer_id": customer["id"]})
    ]
    for company in door.find("party", {"customer_id": customer["id"]}):
        parties += [
            record.values["person_id"]
            for record in door.find("officer", {"company_id": company.values["id"]})
            if record.values["until"] is None
        ]
    known = _parties(door, parties)
    for party in dict.fromkeys(parties):
        values = known[party]
        countries = frozenset(filter(None, (values.get("nationality"), values.get("country"))))
        found.append(
            Subject(
                "party",
                str(party),
                _names(values, "name", "name_original"),
                _as_set(values.get("birth_date")),
                countries,
                company=values["kind"] == COMPANY,
            )
        )
    return found


def _parties(door: "Door", ids: Iterable[Any]) -> dict[Any, Mapping[str, Any]]:
    """Id → values of these parties."""
    wanted = list(dict.fromkeys(ids))
    return (
        {party.values["id"]: party.values for party in door.every("party", {"id": wanted})} if wanted else {}
    )


def _names(values: Mapping[str, Any], *fields: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(values[field]) for field in fields if values.get(field)))


def _as_set(value: Any) -> frozenset[str]:
    return frozenset({str(value)}) if value else frozenset()


def _entries(door: "Door") -> list[Entry]:
    """Every entry that stands, with its other names."""
    others: dict[int, list[str]] = {}
    for alias in door.every("watchlist_alias"):
        others.setdefault(int(alias.values["entry"]), []).append(alias.values["name"])
    made = []
    for record in door.every("watchlist_entry"):
        values = record.values
        if values.get("delisted_on"):
            continue
        names = tuple(dict.fromkeys([values["name"], *others.get(int(values["id"]), [])]))
        births, countries = (
            frozenset(map(str, values.get("birth_dates") or [])),
            frozenset(values.get("nationalities") or []),
        )
        made.append(
            Entry(
                int(values["id"]),
                int(values["version"]),
                values["kind"],
                names,
                tuple(_sounds(name, company=values["kind"] == COMPANY) for name in names),
                births,
                countries,
            )
        )
    return made


@functools.lru_cache(maxsize=10_000)
def _sounds(name: str, *, company: bool = False) -> tuple[str, ...]:
    """The forms in which a name is compared: of a company without its legal form."""
    core = (
        " ".join(word for word in latin(name.replace(".", ""))[0].split() if word not in FORMS)
        if company
        else ""
    )
    return tuple(dict.fromkeys(sound(spelling) for spelling in latin(core or name)))


def _spellings(subject: Subject) -> set[str]:
    return {spelling for own in subject.names for spelling in _sounds(own, company=subject.company)}


def _compared(subject: Subject, entry: Entry) -> tuple[float, dict[str, str]]:
    """(score from 0 to 1, what it was made of): the best of all pairs of names, less where birth or country differ, more where they agree."""
    best, name = 0.0, ""
    for spelling in _spellings(subject):
        for listed, sounds in zip(entry.names, entry.sounds, strict=True):
            score = max((_alike(spelling, other) for other in sounds), default=0.0)
            if score > best:
                best, name = score, listed
    if best < LIKE:
        return best, {}
    birth, country = _dates(subject.births, entry.births), _overlap(subject.countries, entry.countries)
    shift = {SAME: 0.04, NEAR: 0.01, "different": -0.06}.get(birth, 0.0) + {
        SAME: 0.02,
        "different": -0.02,
    }.get(country, 0.0)
    return max(0.0, min(1.0, round(best + shift, 3))), {
        "name": name,
        "birth_date": birth,
        "nationality": country,
    }


def _alike(one: str, other: str) -> float:
    """How alike two names are, whatever the order of their words; a name that lacks the father's name is still the name."""
    left, right = one.split(), other.split()
    if not left or not right:
        return 0.0
    few, many = sorted((left, right), key=len)
    pairs = [max(JaroWinkler.similarity(word, candidate) for candidate in many) for word in few]
    whole = fuzz.token_sort_ratio(one, other) / 100
    part = sum(pairs) / len(pairs) * (1.0 if len(few) > 1 else 0.8)
    return max(whole, part - 0.03 * (len(many) - len(few)))


def _dates(own: Iterable[str], listed: Iterable[str]) -> str:
    """same, near (all that both know: the year, or year and month), different, or unknown."""
    mine, theirs = set(own), set(listed)
    if not mine or not theirs:
        return "unknown"
    if mine & theirs:
        return SAME
    return (
        NEAR
        if any(day.startswith(other) or other.startswith(day) for day in mine for other in theirs)
        else "different"
    )


def _overlap(own: frozenset[str], listed: frozenset[str]) -> str:
    if not own or not listed:
        return "unknown"
    return SAME if own & listed else "different"


def assess(values: Mapping[str, Any], key: str, door: "Door") -> Mapping[str, Any]:
    """Add a risk assessment of `customer`: `points_<factor>` each, `score`, `band`, and what was set by hand. Answers its `id`."""
    del key  # a call whose end is unknown is looked up by a person: an assessment has no key of ours
    points = {
        name.removeprefix("points_"): value for name, value in values.items() if name.startswith("points_")
    }
    columns = {
        name: values.get(name) for name in ("score", "band", "override_band", "override_reason", "assessor")
    }
    made = {
        **columns,
        "customer_id": values["customer"],
        "model_version": values["model"],
        "floor_reason": values.get("floor"),
    }
    return {
        "id": door.insert("risk_assessment", {**made, "points": points, "at": log.now().isoformat()}).values[
            "id"
        ]
    }


FUNCTIONS: Mapping[str, Callable[[Mapping[str, Any], str, "Door"], Mapping[str, Any]]] = {
    "screening.run": screen,
    "risk.assess": assess,
    "supplier.match": known_suppliers.match,
}
"""By the names under which actions call them."""
