"""Alerts: rules of a workflow that tell people, or start a workflow, when a run fails, fails with a certain error, or takes too long.

A rule tells at most once an hour; what it holds back meanwhile is counted. Each start of a workflow is one per rule and failed run.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

from console import log, runs, workflows
from console.auth import access, accounts, notify
from console.auth.access import limits
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.run.causes import MOST, run_depth
from console.core.run.origin import StartedBy
from console.core.seen_before import require_unchanged
from console.infra import jobs, settings, subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, read_row, read_rows, transaction
from console.infra.db.ids import new_id
from console.monitoring import failed_runs, incidents
from console.runs.engine.run_causes import Place, causes_passed_on
from console.work import due_times
from console.workflows import OBJECT, Known

logger = logging.getLogger(__name__)
KINDS: Mapping[str, str] = {
    "failed": "A run fails",
    "error": "A run fails with an error like",
    "slow": "A run is live for longer than",
}
EVERY = timedelta(hours=1)
OLDEST = timedelta(days=1)
"""What failed longer ago is not told any more: the log may have been read from its beginning."""
LONGEST_WAIT = timedelta(hours=1)
"""What failed inside a run waits so long for that run, which may fail for it."""
AT_ONCE = 200
MOST_RULES = 20
LONGEST_PATTERN = 200
LONGEST_MINUTES = 525_600
_WAITING = f"""
select f.run, f.workflow, f.version, f.step, f.code, f.cause, f.at, r.reason, r.record, r.input, r.subject,
    {failed_runs.TOLD_BY_WHOLE.format(run="f.run")} as told_by_whole from console.failure f join {access.EVERY_RUN.sql()} on r.id = f.run
where f.alerted_at is null and (f.at < %s or not {failed_runs.WHOLE_IS_OPEN.format(run="f.run")}) order by f.pos limit %s
"""  # noqa: S608 (texts of this file)
_SLOW = f"""
select r.id, a.id from console.alert_rule a join {access.EVERY_RUN.sql()} on r.workflow = a.workflow
where a.kind = 'slow' and r.ended_at is null and not exists (select from console.alert_told t where t.rule = a.id and t.run = r.id)
and not exists (select from {access.EVERY_RUN.sql("whole")} where whole.id = r.parent and whole.workflow = r.workflow and whole.ended_at is null)
and (r.created_at < now() - make_interval(mins => a.minutes) or a.minutes is null and exists (select from console.due_rule d
    join console.due_clock c on c.rule = d.id where d.workflow = r.workflow and c.run = r.id and c.breached_at > a.made_at)) order by r.created_at limit %s
"""  # noqa: S608 (as above)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. Without `minutes`, what is slow is a run whose due time is used up. `people` are told by a notice, with `mail` by e-mail too; `starts` is the slug of a workflow. `held` counts what it kept back since `last_at`."""

    id: str
    workflow: str
    kind: str
    minutes: int | None
    pattern: str | None
    people: Sequence[str]
    mail: bool
    starts: str | None
    made_by: str
    made_at: datetime
    last_at: datetime | None
    held: int

    @property
    def terms(self) -> dict[str, Any]:
        """What somebody has set, of which a form sends the `mark`."""
        return {name: getattr(self, name) for name in ("kind", "minutes", "pattern", "mail", "starts")} | {
            "people": sorted(self.people)
        }

    def to_json(self) -> dict[str, Any]:
        """The rule as one of a list of the API."""
        return {
            **{
                name: getattr(self, name)
                for name in ("id", "kind", "minutes", "pattern", "mail", "starts", "held")
            },
            "people": list(self.people),
            "last_at": log.body.moment(self.last_at) if self.last_at else None,
        }


@dataclass(frozen=True, slots=True)
class Words:
    """What is told of a failure: at which step of which version, its cause and why. `subject` is that of the run, under whose key it is sealed."""

    subject: str | None
    version: int
    step: str
    cause: str
    reason: str

    @property
    def kept(self) -> bool:
        """Whether it can be kept: not of somebody who was erased meanwhile."""
        return self.subject is not None and not subjects.erased(self.subject)

    def said(self, workflow: Known, held: int, person: str) -> str:
        """Where and why it failed, how many runs that the person may see that concerns, and how many failures were held back since the last alert."""
        title = incidents.title_of_step(workflows.readable_version(workflow.id, self.version), self.step)
        parts = [
            f"{f'“{title}” failed' if title else 'A run failed'}{f': {self.reason}' if self.reason else '.'}"
        ]
        alike = incidents.count_alike(accounts.actor_of_person(person), workflow.id, self.cause)
        if alike > 1:
            parts.append(f"{alike:,} runs have failed like this.")
        if held:
            parts.append(
                f"{held:,} {'failure was' if held == 1 else 'failures were'} not told since the last alert."
            )
        return " ".join(parts)


def rules_of(workflow: Known) -> list[Rule]:
    """The rules of the workflow, the oldest first. The caller made sure that it may be seen."""
    rule = tables.alert_rule.c
    return [
        Rule(*row)
        for row in read_rows(
            sa.select(tables.alert_rule).where(rule.workflow == workflow.id).order_by(rule.made_at)
        )
    ]


def tellable(workflow: Known) -> list[tuple[str, str]]:
    """(e-mail address, name) of everybody who may be told: who has an account and may see the workflow. Who has the same name as another is told apart by the address."""
    able = limits.people_able(workflow.team or None, f"{OBJECT}:{workflow.slug}", "see")
    addresses = {each.id: each.email for each in accounts.people() if each.kind == "person"}
    often = Counter(name for _, name in able)
    return [
        (addresses[ident], name if often[name] == 1 else f"{name}, {addresses[ident]}")
        for ident, name in able
        if ident in addresses
    ]


def startable(workflow: Known) -> list[Known]:
    """The workflows that a failure of this one may start: published, run by themselves, about no record; personal ones only of the same person."""
    known = [each for each in workflows.all_known() if each.owner in (None, workflow.owner)]
    others = [
        each for each in known if each.live is not None and each.id != workflow.id and each.collection is None
    ]
    return [each for each in others if workflows.version(each.id, each.live or 0).document.run_as is not None]


def add(
    actor: Actor,
    workflow: Known,
    *,
    kind: str,
    minutes: int | None = None,
    pattern: str = "",
    people: Sequence[str] = (),
    mail: bool = True,
    starts: str = "",
) -> Rule:
    """Make a rule. Needs the right `activate`. `people` are e-mail addresses or ids of people who may see the workflow.

    Raises NotAllowed, Invalid with a detail per field.
    """
    workflows.require(actor, workflow, "activate")
    full = (
        [("kind", f"A workflow has at most {MOST_RULES} alerts.")]
        if len(rules_of(workflow)) >= MOST_RULES
        else []
    )
    told = _judged(workflow, (kind, minutes, pattern, people, starts), full, "The alert was not made.")
    row = told | {
        "id": new_id("alr"),
        "workflow": workflow.id,
        "mail": mail,
        "made_by": actor.id,
        "made_at": log.now(),
        "held": 0,
    }
    with transaction() as connection:
        made = Rule(
            *connection.execute(
                sa.insert(tables.alert_rule).values(**row).returning(*tables.alert_rule.c)
            ).one()
        )
        _note(
            actor, "alert_changed", workflow, connection, made, sealed={"rule": made.to_json()}, removed=False
        )
    return made


def change(
    actor: Actor,
    workflow: Known,
    rule_id: str,
    *,
    kind: str,
    minutes: int | None = None,
    pattern: str = "",
    people: Sequence[str] = (),
    mail: bool = True,
    starts: str = "",
    seen: str | None = None,
) -> Rule:
    """Make a rule another one, given as to `add`. When it told last, and what it kept back since, stay.

    `seen` is the `mark` of the `terms` that a form showed. Raises NotAllowed, NotFound, Invalid with a detail per field, Conflict where they changed since.
    """
    workflows.require(actor, workflow, "activate")
    told = _judged(workflow, (kind, minutes, pattern, people, starts), [], "The alert was not changed.")
    rule = tables.alert_rule.c
    with transaction() as connection:
        its_own = (rule.id == rule_id, rule.workflow == workflow.id)
        row = connection.execute(sa.select(tables.alert_rule).where(*its_own).with_for_update()).first()
        if row is None:
            raise NotFound("There is no such alert any more.")
        former = Rule(*row)
        require_unchanged(seen, former.terms, replace(former, **told, mail=mail).terms)
        changed = (
            sa.update(tables.alert_rule)
            .where(*its_own)
            .values(**told, mail=mail)
            .returning(*tables.alert_rule.c)
        )
        made = Rule(*connection.execute(changed).one())
        if made != former:
            sealed = {"rule": made.to_json(), "former": former.to_json()}
            _note(actor, "alert_changed", workflow, connection, made, sealed=sealed, removed=False)
    return made


def _judged(
    workflow: Known,
    given: tuple[str, int | None, str, Sequence[str], str],
    wrong: list[tuple[str, str]],
    refusal: str,
) -> dict[str, Any]:
    """The columns of a rule given as (kind, minutes, pattern, e-mail addresses, slug that is started). Raises Invalid with these details and its own."""
    kind, minutes, pattern, people, starts = given
    wrong += _wrong(kind, minutes, pattern)
    people_told, unknown = _people(workflow, people)
    wrong += [
        ("people", f"Nobody who may see this workflow has the address {address}.") for address in unknown
    ]
    if kind == "slow" and minutes is None and due_times.rule_of_workflow(workflow.id) is None:
        wrong.append(
            ("minutes", "How many minutes? Without them the due time counts, and this workflow has none.")
        )
    if starts and not any(each.slug == starts for each in startable(workflow)):
        wrong.append(
            (
                "starts",
                "Name another workflow that is published, runs by itself (run_as), and is about no record.",
            )
        )
    if not people_told and not starts and not unknown:
        wrong.append(("people", "Say who is told, or which workflow is started."))
    if wrong:
        raise Invalid(refusal, details=wrong)
    return {
        "kind": kind,
        "minutes": minutes if kind == "slow" else None,
        "pattern": pattern.strip() if kind == "error" else None,
        "people": people_told,
        "starts": starts or None,
    }


def remove(actor: Actor, workflow: Known, rule_id: str) -> None:
    """Take a rule away. Needs the right `activate`. Raises NotAllowed, NotFound."""
    workflows.require(actor, workflow, "activate")
    rule = tables.alert_rule.c
    with transaction() as connection:
        gone = (
            sa.delete(tables.alert_rule)
            .where(rule.id == rule_id, rule.workflow == workflow.id)
            .returning(*tables.alert_rule.c)
        )
        row = connection.execute(gone).first()
        if row is None:
            raise NotFound("There is no such alert any more.")
        _note(
            actor,
            "alert_changed",
            workflow,
            connection,
            Rule(*row),
            sealed={"rule": Rule(*row).to_json()},
            removed=True,
        )


# ------------------------------------------------------------------------------------------------------------- raising


def raise_due() -> int:
    """Judge the failures that no rule has looked at yet, in their order; how many there were. While everything is paused, they wait.

    One failure is told once: what failed inside a run that failed for it, or asks somebody, is told by the rules of that one, if it has any.
    """
    if jobs.paused():
        return 0
    rows = fetch(_WAITING, (log.now() - LONGEST_WAIT, AT_ONCE))
    for (
        run_id,
        workflow_id,
        version,
        step,
        code,
        cause,
        at,
        reason,
        record,
        given,
        subject,
        told_by_whole,
    ) in rows:
        known = workflows.find_known(workflow_id)
        if (
            known is not None
            and at > log.now() - OLDEST
            and not (told_by_whole and _told_by_whole(run_id, known))
        ):
            failure = {
                "run": run_id,
                "step": step,
                "code": code,
                "message": reason or "",
                "workflow": known.slug,
            }
            title = incidents.title_of_step(workflows.readable_version(workflow_id, version), step)
            more = {"error": reason or "", "record": record, "input": given, "step_title": title}
            words = Words(subject, version, step, cause, reason or "")
            for rule in rules_of(known):
                if rule.kind == "failed" or (
                    rule.kind == "error" and _alike(rule.pattern or "", code, failure["message"])
                ):
                    _raise(known, rule, run_id, failure, more, words=words, own_incident=not told_by_whole)
        with transaction() as connection:
            connection.execute(
                sa.update(tables.failure).where(tables.failure.c.run == run_id).values(alerted_at=log.now())
            )
    return len(rows)


def _told_by_whole(run_id: str, workflow: Known) -> bool:
    """Whether a run that this one is a part of is of the same workflow, or of one that has rules of its own."""
    known = [workflows.find_known(each) for each in failed_runs.workflows_of_wholes(run_id)]
    return any(whole is not None and (whole.id == workflow.id or rules_of(whole)) for whole in known)


def tell_slow() -> int:
    """Tell of live runs that take longer than a rule allows, each once; how many there were."""
    if jobs.paused():
        return 0
    rows = fetch(_SLOW, (AT_ONCE,))
    for run_id, rule_id in rows:
        row = read_row(sa.select(tables.alert_rule).where(tables.alert_rule.c.id == rule_id))
        known = workflows.find_known(row.workflow) if row is not None else None
        if row is None or known is None:
            continue
        _raise(
            known,
            Rule(*row),
            run_id,
            {"run": run_id, "step": "", "code": "slow", "message": "", "workflow": known.slug},
        )
        with transaction() as connection:
            connection.execute(
                sa.text("insert into console.alert_told values (:rule, :run) on conflict do nothing"),
                {"rule": rule_id, "run": run_id},
            )
    return len(rows)


def _raise(
    workflow: Known,
    rule: Rule,
    run_id: str,
    values: Mapping[str, str],
    more: Mapping[str, Any] | None = None,
    *,
    words: "Words | None" = None,
    own_incident: bool = False,
) -> None:
    """Start the rule's workflow for this run; and tell its people, unless it told them within the hour, of the run or of its incident, if it has one of its own."""
    started = _start(workflow, rule, run_id, values, more or {}) if rule.starts else None
    now, at = log.now(), tables.alert_rule.c
    with transaction() as connection:
        may = sa.update(tables.alert_rule).where(
            at.id == rule.id, sa.or_(at.last_at.is_(None), at.last_at <= now - EVERY)
        )
        held = connection.execute(sa.select(at.held).where(at.id == rule.id).with_for_update()).scalar()
        tells = bool(rule.people) and connection.execute(may.values(last_at=now, held=0)).rowcount == 1
        if rule.people and not tells:
            connection.execute(sa.update(tables.alert_rule).where(at.id == rule.id).values(held=at.held + 1))
        people = [person for person in rule.people if _may_see(person, workflow)] if tells else []
        slow = rule.kind == "slow"
        kept = words if words is not None and words.kept else None
        texts = {
            person: kept.said(workflow, held or 0, person) if kept is not None else None for person in people
        }
        for text in dict.fromkeys(texts.values()):
            notify.add_notices(
                connection,
                [person for person in people if texts[person] == text],
                f"{rule.id}:{run_id}",
                "alert_slow" if slow else "alert_failed",
                at=now,
                run=run_id,
                link=f"/workflows/{workflow.slug}/"
                + ("incidents" if own_incident else f"executions/{run_id}"),
                mail=rule.mail,
                text=text,
                subject=words.subject if words is not None else None,
            )
        if people or started:
            _note(
                runs.ENGINE,
                "alert_raised",
                workflow,
                connection,
                rule,
                failed_run=run_id,
                people=people,
                started=started,
                held=held or 0,
            )


def _start(
    failed: Known, rule: Rule, run_id: str, values: Mapping[str, str], more: Mapping[str, Any]
) -> str | None:
    """The run that the rule's workflow began for this failure; None if it cannot be started, or failures would start one another without end.

    `more` is what the failed run was about: its account is given that only where it may read the records of the failed workflow.
    """
    causes = causes_passed_on([Place(run_id)])[0]
    if run_depth(causes) > MOST:
        logger.warning("alert %s: a chain of %s runs is not gone on with", rule.id, run_depth(causes))
        return None
    try:
        definition = workflows.live(rule.starts or "")
        if any(cause.workflow == definition.id for cause in causes):
            return None
        named = {field["name"] for field in definition.document.start.config.get("fields") or ()}
        link = f"{settings.current().base_url or ''}/workflows/{failed.slug}/executions/{run_id}"
        more = {**more, "workflow_title": failed.title, "link": link}
        known = {**values, **more} if _may_read(runs.account_of(definition), failed) else values
        given = {name: value for name, value in known.items() if name in named and value is not None}
        by = StartedBy(rule.id, "event", dict(values), causes)
        return runs.start_hands_off(
            definition.id, by=by, record=None, values=given, key=f"{rule.id}:{run_id}"
        )
    except ConsoleError as error:
        logger.warning("alert %s: %s was not started: %s", rule.id, rule.starts, error.message)
        return None


def _alike(pattern: str, code: str, message: str) -> bool:
    """Whether the pattern, in which `*` stands for any characters, is found in the code or the message; small and capital letters are alike."""
    wanted = f"*{pattern.casefold()}*".replace("[", "[[]").replace("?", "[?]")
    return any(fnmatchcase(text.casefold(), wanted) for text in (code, message))


def _wrong(kind: str, minutes: int | None, pattern: str) -> list[tuple[str, str]]:
    if kind not in KINDS:
        return [("kind", f"One of {', '.join(KINDS)}.")]
    if kind == "slow" and minutes is not None and not 0 < minutes <= LONGEST_MINUTES:
        return [("minutes", f"How many minutes, 1 to {LONGEST_MINUTES:,}.")]
    if kind == "error" and not (0 < len(pattern.strip()) <= LONGEST_PATTERN and pattern.isprintable()):
        return [("pattern", f"Words of the error, at most {LONGEST_PATTERN} characters; * stands for any.")]
    return []


def _people(workflow: Known, addresses: Sequence[str]) -> tuple[list[str], list[str]]:
    """(ids of the people with these addresses or ids, those of nobody who may see the workflow)."""
    known_people, unknown = [], []
    for address in dict.fromkeys(each.strip() for each in addresses if each.strip()):
        try:
            person = accounts.person_of_email(address).id if "@" in address else address
        except ConsoleError:
            person = ""
        if person and _may_see(person, workflow):
            known_people.append(person)
        else:
            unknown.append(address[:200])
    return known_people, unknown


def _may_see(person: str, workflow: Known) -> bool:
    try:
        return workflows.may(accounts.actor_of_person(person), workflow, "see")
    except ConsoleError:
        return False


def _may_read(account: Actor, workflow: Known) -> bool:
    """Whether the account sees the workflow's runs, and the records that they are about."""
    sees = workflows.may(account, workflow, "see")
    return sees and (
        workflow.collection is None or access.can(account, None, f"collection:{workflow.collection}", "read")
    )


def _note(
    actor: Actor,
    kind: str,
    workflow: Known,
    connection: sa.Connection,
    rule: Rule,
    sealed: Mapping[str, Any] | None = None,
    **told: Any,
) -> None:
    opened = {"workflow": workflow.id, "slug": workflow.slug, "alert": rule.id, "kind": rule.kind} | told
    chain = None if workflow.label else workflows.CHAIN
    log.note(
        actor,
        kind,
        open=opened,
        sealed=sealed,
        team=workflow.team or None,
        chain=chain,
        label=workflow.label,
        connection=connection,
    )
