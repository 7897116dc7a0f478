"""Who opted out by a file. The whole file is looked through for it before a line is written, so that nobody gets a consent by one line who opted out on another;
then it is taken back with the lines, of contacts that are there too, whatever else becomes of their line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from console import records
from console.core.contacting import Contact, latest_of
from console.messaging.imports import cell_meanings, consent_columns, headings, line_values, reference_titles
from console.messaging.imports.contact_files import Row
from console.messaging.imports.imports import NEW, REFUSED, Line, Plan
from console.messaging.imports.line_identity import identity
from console.messaging.imports.lines_before import LinesBefore
from console.messaging.messages import file_opt_outs, recipients
from console.messaging.messages.file_opt_outs import OptOut

BY_ADDRESS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"email"}),
    "phone": frozenset({"sms", "call", "ai_call"}),
}
"""Part of a contact → channels by which it is reached there."""
SHORTEST = 5
"""Digits of a telephone number by which two lines are about one person."""
NOTED = "That they opted out counts all the same."
NOBODY = "They opted out, but nobody is found by this line, and it tells no whole address or number that could be barred: nothing is noted."
BARRED = "whoever has this address or number opted out of it here."
REFUSED_ELSEWHERE = "another line of the file says that they opted out, or have not agreed."
NOT_NOTED = "They opted out, but you may not change them: ask somebody who may to note it."


def look_through(plan: Plan, person: str, before: LinesBefore, stopping: Callable[[], bool]) -> bool:
    """Keep who opted out, and who has not agreed, on any line; False where that was stopped before the end: it goes on at the same line."""
    looked = before.looked_through
    if looked is None or not (plan.consents.refused or plan.consents.channels):
        return True
    for part in cell_meanings.rows(plan.question, person, looked):
        if stopping():
            return False
        looked += len(part)
        before.note_refusals(_refusals(plan, part), looked)
    before.note_refusals((), None)
    return True


def with_opt_outs(plan: Plan, lines: Sequence[Line], before: LinesBefore) -> list[Line]:
    """The lines without the consents that another line takes away, and with the channels that their contacts opted out of."""
    lines = _without_barred(plan, lines)
    if not (plan.consents.refused or plan.consents.channels):
        return lines
    whose = {
        line.number: [who for who, _ in _whose(plan, line.values)] if line.values else [] for line in lines
    }
    everyone = {who for each in whose.values() for who in each}
    told, dated = before.refusals(everyone), before.dated_opt_outs(everyone)
    if not told and not dated:
        return lines
    with_them = []
    for line in lines:
        said = [pair for who in whose[line.number] for pair in told.get(who, {}).items()]
        moments: dict[str, list[datetime | None]] = {}
        for who in whose[line.number]:
            for channel, at in dated.get(who, {}).items():
                moments.setdefault(channel, []).append(at)
        for channel, opted_out in said:
            moments.setdefault(channel, []).extend([None] if opted_out else [])
        out = {channel: latest_of(found) for channel, found in moments.items() if found}
        place, refused = plan.consents.place, {channel for channel, _ in said}
        consents = {channel: row for channel, row in line.consents.items() if channel not in refused}
        kept = (
            consent_columns.still_given(place, consents, out, own_day=line.own_day)
            if place is not None
            else {}
        )
        with_them.append(replace(_without_consents(line, kept, REFUSED_ELSEWHERE), opted_out=out))
    return _as_allowed(plan, with_them)


def _without_consents(line: Line, kept: Mapping[str, Mapping[str, Any]], why: str) -> Line:
    """The line with only these of its consents, and why each of the others is none."""
    gone = {channel: why for channel in line.consents if channel not in kept}
    return replace(line, consents=kept, dropped={**line.dropped, **gone})


def dropped(lines: Sequence[Line], *, preview: bool) -> list[Line]:
    """Those of the lines whose contacts are added without a consent that they tell, with the reasons."""
    begun = "Can be added, but" if preview else "Added, but"
    return [
        replace(
            line,
            reasons=tuple(
                f"{begun} without the consent to {consent_columns.NAMES[each]}: {why}"
                for each, why in line.dropped.items()
            ),
        )
        for line in lines
        if line.dropped and line.outcome == NEW
    ]


def _without_barred(plan: Plan, lines: Sequence[Line]) -> list[Line]:
    """The lines without consents to a channel for which their address is barred here; what a line itself dates may be newer than that, and stays."""
    common = {line.number: _contact_told(plan, line) for line in lines if line.consents and not line.own_day}
    barred = (
        dict(zip(common, recipients.barred_channels(list(common.values())), strict=True)) if common else {}
    )
    return [
        _without_consents(
            line,
            {channel: row for channel, row in line.consents.items() if channel not in barred[line.number]},
            BARRED,
        )
        if barred.get(line.number)
        else line
        for line in lines
    ]


def opt_outs_of(plan: Plan, lines: Sequence[Line]) -> list[OptOut]:
    """What these lines take back, once those who are new are added."""
    told = [line for line in lines if line.opted_out and not {NOT_NOTED, NOBODY}.intersection(line.reasons)]
    return [
        OptOut(line.opted_out, _keys(line), _addresses_told(plan, line), line.outcome == NEW) for line in told
    ]


def taken_back(plan: Plan, lines: Sequence[Line], place: dict[str, Any]) -> file_opt_outs.Withdrawals | None:
    """What the opt-outs of these lines take back, counted in `place`; None without any."""
    said = opt_outs_of(plan, lines)
    if not said:
        return None
    found = file_opt_outs.withdrawals(plan.collection.id, said)
    for name, more in {
        "opted_out": len(said),
        "withdrawn": found.agreed,
        "agreed_again": found.again
        + sum(line.outcome == NEW and not line.opted_out.keys().isdisjoint(line.consents) for line in lines),
    }.items():
        place[name] = int(place.get(name, 0)) + more
    return found


def _addresses_told(plan: Plan, line: Line) -> Contact | None:
    """The addresses that the line tells; None for who may change no contacts, and so bars none."""
    told, several = _contact_told(plan, line), line.several_told
    return (
        None
        if plan.update.nothing
        else replace(told, email=several.get("email", told.email), phone=several.get("phone", told.phone))
    )


def _contact_told(plan: Plan, line: Line) -> Contact:
    email, phone, country = (
        _text(line.values.get(plan.part(part) or "")) for part in ("email", "phone", "country")
    )
    return Contact(plan.collection.id, "", email=email, phone=phone, country=country)


def _refusals(plan: Plan, part: Sequence[Row]) -> Iterator[tuple[str, str, bool, datetime | None]]:
    columns = plan.consents
    told = [
        (row, consent_columns.opted_out(columns, row.cells), consent_columns.said_no(columns, row.cells))
        for row in part
    ]
    told = [(row, out, said_no) for row, out, said_no in told if out or said_no]
    read = [line_values.values_of(plan, row)[0] for row, _, _ in told]
    keyed = reference_titles.with_keys(plan.actor, list(plan.fields.values()), read)
    for (row, out, said_no), (values, _) in zip(told, keyed, strict=True):
        for who, reached in dict([*_whose(plan, values), *_whose_else(row, plan)]).items() if values else ():
            yield from ((who, channel, True, at) for channel, at in out.items() if channel in reached)
            yield from ((who, channel, False, None) for channel in said_no & reached)


def _whose_else(row: Row, plan: Plan) -> Iterator[tuple[str, frozenset[str]]]:
    """The same of the further addresses and numbers of a line, which its contact does not get."""
    several = line_values.several_told(plan, row)
    for part, each in (
        ("email", headings.addresses_in(several.get("email", ""))),
        ("phone", headings.numbers_in(several.get("phone", ""))),
    ):
        yield from ((who, BY_ADDRESS[part]) for cell in each if (who := _reached_at(part, cell)) is not None)


def _reached_at(part: str, cell: object) -> str | None:
    """Who is reached at an address or a number; None for one that many may have, such as “12” or 4,91512E+11."""
    address = headings.as_compared(cell)
    digits = "" if headings.is_shortened(address) else "".join(filter(str.isdigit, address)).lstrip("0")
    if part == "email":
        return f"email {address}" if address else None
    return f"phone {digits}" if len(digits) >= SHORTEST else None


def _whose(plan: Plan, values: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """(whom a line is about, channels of which that decides): who it means, and whoever has its addresses."""
    yield identity(plan, values), frozenset(consent_columns.NAMES)
    for part, reached in BY_ADDRESS.items():
        if (who := _reached_at(part, values.get(plan.part(part) or ""))) is not None:
            yield who, reached


def _as_allowed(plan: Plan, lines: Sequence[Line]) -> list[Line]:
    """The lines, with what is said of opt-outs where the contact is there already."""
    keys = [key for line in lines if line.opted_out for key in _keys(line)]
    allowed = (
        records.visible_keys(plan.collection.id, keys, plan.update)
        if keys and not plan.update.nothing
        else set()
    )
    ended = []
    for line in lines:
        there = _keys(line) if line.opted_out and not line.done else ()
        if there and not allowed.issuperset(there):
            ended.append(replace(line, outcome=REFUSED, reasons=(*line.reasons, NOT_NOTED)))
        elif line.opted_out and line.outcome == REFUSED and not line.done:
            noted = there or file_opt_outs.is_reachable(_addresses_told(plan, line))
            ended.append(replace(line, reasons=(*line.reasons, NOTED if noted else NOBODY)))
        else:
            ended.append(line)
    return ended


def _keys(line: Line) -> tuple[str, ...]:
    return line.several or ((line.key,) if line.key is not None else ())


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
