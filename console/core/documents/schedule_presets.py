"""Schedules that need no cron fields: every hour, daily at a time, the last day of a month and so on. Each is cron fields in the end."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Every: TypeAlias = Literal["minutes", "hour", "day", "weekday", "week", "month"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STEPS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
"""Minutes that divide an hour: with others the last pause of each hour would be shorter."""
LAST = "last"
NEEDED: dict[str, tuple[str, ...]] = {
    "minutes": ("minutes",),
    "hour": (),
    "day": ("at",),
    "weekday": ("at",),
    "week": ("on", "at"),
    "month": ("day", "at"),
}
"""How often → which other parts it takes. An hour takes `minute` too, and may do without."""
MISSING = {
    "minutes": "Say every how many minutes.",
    "at": "Say at what time, such as 09:00.",
    "on": "Choose a day of the week.",
    "day": "Say on which day of the month, 1 to 31 or last.",
}
_NUMBERED = {day: str(number) for number, day in enumerate(DAYS, 1)}
_AT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_CRON = re.compile(r"(\d{1,2}) (\d{1,2}) (\S+) \* (\S+)")


class Preset(BaseModel):
    """How often, in parts that people know. What a draft still lacks is said by `wrong`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    every: Every
    minutes: int | None = Field(None, description="Every so many minutes; a number that divides 60")
    minute: int | None = Field(
        None, ge=0, le=59, description="Of an hour: at so many minutes past; none: on the hour"
    )
    at: str | None = Field(
        None, max_length=5, description="The time of the day, such as 09:00, in the trigger's zone"
    )
    on: Annotated[list[Day], Field(max_length=7)] | None = Field(None, description="Of a week: the days")
    day: Annotated[int, Field(ge=1, le=31)] | Annotated[str, StringConstraints(pattern="^last$")] | None = (
        Field(None, description="Of a month: 1 to 31, or `last`; a month without that day is left out")
    )

    def wrong(self) -> Iterator[tuple[str, str]]:
        """(part, what is wrong with it): parts that are missing, that it does not take, and times that no clock shows."""
        needed = NEEDED[self.every]
        taken = {*needed, *(["minute"] if self.every == "hour" else [])}
        for name in ("minutes", "minute", "at", "on", "day"):
            value = getattr(self, name)
            if name in needed and value in (None, []):
                yield name, MISSING[name]
            elif name not in taken and value is not None:
                yield name, "It is not asked for with this: remove it."
            elif name == "minutes" and value is not None and value not in STEPS:
                yield name, f"Choose a number that divides an hour: {', '.join(map(str, STEPS))}."
            elif name == "at" and value is not None and _AT.fullmatch(value) is None:
                yield name, f"No clock shows {value}: write it as 09:00."

    @property
    def cron(self) -> str | None:
        """The five fields; None while something is wrong."""
        if next(self.wrong(), None) is not None:
            return None
        if self.every == "minutes":
            return f"*/{self.minutes} * * * *" if self.minutes != 1 else "* * * * *"
        if self.every == "hour":
            return f"{self.minute or 0} * * * *"
        hour, minute = (int(part) for part in (self.at or "").split(":"))
        day = "*" if self.every != "month" else "L" if self.day == LAST else str(self.day)
        weekday = {
            "weekday": "1-5",
            "week": ",".join(_NUMBERED[each] for each in DAYS if each in (self.on or ())),
        }.get(self.every, "*")
        return f"{minute} {hour} {day} * {weekday}"


def preset_of(cron: str) -> dict[str, Any] | None:
    """The preset that says the same as these fields, as the document has it; None where none does."""
    if cron == "* * * * *":
        return {"every": "minutes", "minutes": 1}
    if found := re.fullmatch(r"\*/(\d{1,2}) \* \* \* \*", cron):
        return {"every": "minutes", "minutes": int(found[1])} if int(found[1]) in STEPS else None
    if found := re.fullmatch(r"(\d{1,2}) \* \* \* \*", cron):
        return {"every": "hour", "minute": int(found[1])}
    if (found := _CRON.fullmatch(cron)) is None:
        return None
    at, day, weekday = f"{int(found[2]):02}:{int(found[1]):02}", found[3].lower(), found[4].lower()
    if day == weekday == "*":
        return {"every": "day", "at": at}
    if weekday == "*":
        return (
            {"every": "month", "day": LAST if day == "l" else int(day), "at": at}
            if day == "l" or day.isdigit()
            else None
        )
    if day != "*":
        return None
    if weekday in ("1-5", "mon-fri"):
        return {"every": "weekday", "at": at}
    named: dict[str, Day] = {number: name for name, number in _NUMBERED.items()}
    named["0"] = "sun"
    named.update({each: each for each in DAYS})
    days = weekday.split(",")
    return (
        {"every": "week", "on": [each for each in DAYS if each in {named[one] for one in days}], "at": at}
        if all(each in named for each in days)
        else None
    )
