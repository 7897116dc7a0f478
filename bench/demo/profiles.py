"""Where each of the two thousand customers stands: status, band, review, exposure. The counts are those of the company's description, exactly."""

from dataclasses import dataclass, field
from random import Random

from bench.demo import risk, story_facts
from bench.demo.world import dice, spread
from console.demo import stories

PERSONS, COMPANIES = 1400, 600
STATUSES = {
    "approved": 1640,
    "pending_documents": 110,
    "in_review": 90,
    "rejected": 60,
    "not_started": 60,
    "expired": 40,
}
BANDS = {"low": 1290, "medium": 476, "high": 170, "prohibited": 4}
OVERDUE, OVERDUE_HIGH, DUE = 118, 31, 74
EXPOSED = {"pep": 14, "family": 11, "associate": 6, "former": 7}
RESTRICTED = {"review": 15, "documents": 6, "legal": 1}
HIGH_RISK_RESIDENTS = 28
DEEP, AT_THE_THRESHOLD = 38, 3


@dataclass(slots=True)
class Profile:
    """One customer before it has a name. `review` is overdue, due, later or none; `ratio` is actual to expected turnover."""

    id: int
    status: str
    review: str = "none"
    band: str | None = None
    pep: str = "none"
    restriction: str = "none"
    high_risk: bool = False
    deep: bool = False
    points: risk.Points = field(default_factory=dict)
    ratio: float = 1.0

    @property
    def company(self) -> bool:
        """Whether it is a company; else a person."""
        return self.id > PERSONS

    @property
    def story(self) -> story_facts.StoryCustomer | None:
        """Its story, None for the many."""
        return story_facts.CUSTOMERS.get(self.id)


def draw() -> dict[int, Profile]:
    """A profile per customer id, 1 to 1400 persons, 1401 to 2000 companies."""
    rng = dice("profiles")
    profiles = _with_status(rng)
    _set_reviews(profiles, rng)
    _set_bands(profiles, rng)
    _set_exposure(profiles, rng)
    for profile in profiles.values():
        if profile.status != "not_started":
            _set_points(profile, rng)
    return profiles


def _with_status(rng: Random) -> dict[int, Profile]:
    left = dict(STATUSES)
    for story in story_facts.CUSTOMERS.values():
        left[story.status] -= 1
    statuses = iter(spread(left, rng))
    profiles = {}
    for number in range(1, PERSONS + COMPANIES + 1):
        told = story_facts.CUSTOMERS.get(number)
        profiles[number] = (
            Profile(number, told.status, told.review, told.band) if told else Profile(number, next(statuses))
        )
    return profiles


def _set_reviews(profiles: dict[int, Profile], rng: Random) -> None:
    """All whose approval has expired are overdue; the rest of the overdue and the due are approved."""
    customers = list(story_facts.CUSTOMERS.values())
    approved = _drawn([one for one in profiles.values() if one.status == "approved" and not one.story], rng)
    overdue = OVERDUE - STATUSES["expired"] - sum(story.review == "overdue" for story in customers)
    due = DUE - sum(story.review == "due" for story in customers)
    for place, profile in enumerate(approved):
        profile.review = "overdue" if place < overdue else "due" if place < overdue + due else "later"
    for profile in profiles.values():
        if profile.status == "expired":
            profile.review = "overdue"


def _set_bands(profiles: dict[int, Profile], rng: Random) -> None:
    left = dict(BANDS)
    for story in story_facts.CUSTOMERS.values():
        left[story.band] -= 1
    rejected = _drawn([one for one in profiles.values() if one.status == "rejected"], rng)
    overdue = _drawn([one for one in profiles.values() if one.review == "overdue" and not one.story], rng)
    for group, name, count in (
        (rejected, "prohibited", left.pop("prohibited")),
        (overdue, "high", OVERDUE_HIGH),
    ):
        for profile in group[:count]:
            profile.band = name
    left["high"] -= OVERDUE_HIGH
    calm = overdue[OVERDUE_HIGH:]
    for profile, name in zip(calm, spread({"low": len(calm) - 30, "medium": 30}, rng), strict=True):
        profile.band = name
        left[name] -= 1
    rest = [one for one in profiles.values() if one.band is None and one.status != "not_started"]
    for profile, name in zip(rest, spread(left, rng), strict=True):
        profile.band = name


def _set_exposure(profiles: dict[int, Profile], rng: Random) -> None:
    """Politically exposed and resident in a high-risk country are high by the floors; former ones need not be."""
    plain = [one for one in profiles.values() if not one.story]
    high = _drawn([one for one in plain if one.band == "high"], rng)
    for profile in high[:HIGH_RISK_RESIDENTS]:
        profile.high_risk = True
    exposed = spread({kind: count for kind, count in EXPOSED.items() if kind != "former"}, rng)
    for profile, kind in zip(
        [one for one in high[HIGH_RISK_RESIDENTS:] if not one.company], exposed, strict=False
    ):
        profile.pep = kind
    for profile in _drawn([one for one in plain if one.band in {"low", "medium"} and not one.company], rng)[
        : EXPOSED["former"]
    ]:
        profile.pep = "former"
    held = _drawn(
        [one for one in plain if one.status in {"approved", "in_review", "expired"} and not one.high_risk],
        rng,
    )
    for profile, code in zip(held, spread(RESTRICTED, rng), strict=False):
        profile.restriction = code
    layered = _drawn(
        [one for one in plain if one.company and one.status not in {"not_started", "rejected"}], rng
    )[: DEEP - 1]
    for profile in [profiles[stories.HALCYON], *layered]:
        profile.deep = True


def _set_points(profile: Profile, rng: Random) -> None:
    if profile.story:
        profile.points, profile.ratio = dict(profile.story.points), profile.story.ratio
        return
    structure = 0 if not profile.company else 3 if profile.deep else 1
    country = 3 if profile.high_risk else None
    wanted = "high" if profile.band == "prohibited" else str(profile.band)
    profile.points = risk.points_for(
        wanted, structure=structure, pep=risk.PEP_POINTS[profile.pep], country=country, rng=rng
    )
    low, high = ((0.4, 1.4), (1.6, 2.9), (3.1, 4.8), (5.2, 9.0))[profile.points["activity"]]
    profile.ratio = round(rng.uniform(low, high), 2)


def _drawn(profiles: list[Profile], rng: Random) -> list[Profile]:
    rng.shuffle(profiles)
    return profiles
