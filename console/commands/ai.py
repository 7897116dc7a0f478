"""Commands about proposals: cases out of the record, and trying models, prompts and rules on them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from console import accounts, log, workflows
from console.accounts import COMMAND_LINE
from console.ai import providers
from console.errors import NotFound
from console.proposals import evaluate as trying, options, replayed
from console.proposals.evaluate import Proposer, Score, Verdict
from console.proposals.replayed import Case
from console.proposals.report_words import percent

PROVIDERS = click.Choice(["anthropic", "openai_compatible", "rules"])

ai = click.Group("ai", help="How good proposals are, tried on recorded cases.")


@ai.command("cases", epilog="Example: console ai cases --workflow kyc-review --out cases.jsonl")
@click.option("--workflow", "slug", default=None, help="Of this workflow only.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write, a case a line.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=replayed.MOST, show_default=True, help="At most so many, the newest.")
def cases(slug: str | None, out: Path, limit: int) -> None:
    """Write recorded cases to a file: what was asked, after redaction, and what the person put in, of runs that have ended."""
    count = replayed.write(replayed.recorded(_workflow(slug), limit), out)
    log.note(COMMAND_LINE, "ai_cases_exported", open={"count": count, "workflow": _workflow(slug)}, chain=workflows.CHAIN)
    click.echo(f"{count} cases written to {out}")


@ai.command(
    "evaluate", epilog="Example: console ai evaluate --cases cases.jsonl --provider anthropic --model claude-haiku-5-5 --against rules"
)
@click.option(
    "--cases",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of cases; without it, those that are still stored.",
)
@click.option("--workflow", "slug", default=None, help="Stored cases of this workflow only.")
@click.option("--provider", type=PROVIDERS, default=None, help="Who is tried (B); without it, who is asked now.")
@click.option("--model", default=None, help="Which model of theirs.")
@click.option(
    "--against",
    default=None,
    metavar="WHO",
    help="Compared with (A): rules, configured, or provider:model. Without it: rules; with --prompt, the same with our own policy.",
)
@click.option(
    "--prompt", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A text in the place of the fixed policy, for B."
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=replayed.MOST, show_default=True, help="At most so many stored cases, the newest."
)
@click.option(
    "--builder",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of descriptions of workflows: how good the builder is with each, in the place of cases.",
)
@click.option(
    "--as", "email", default=None, metavar="EMAIL", help="With --builder: who wishes. The model gets the names that they may see."
)
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --builder: recorded answers; no provider is asked.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How the report is printed.")
def evaluate(
    file: Path | None,
    slug: str | None,
    provider: str | None,
    model: str | None,
    against: str | None,
    prompt: Path | None,
    limit: int,
    builder: Path | None,
    email: str | None,
    answers: Path | None,
    form: str,
) -> None:
    """Try a model, a prompt or the rules on recorded cases and on attacks, and say which to take.

    Nothing of it touches a run. Providers are really asked, and what they bill is billed. Ends with 1 when an attack comes through the guard.
    """
    if builder is not None:
        _evaluate_builder(builder, email, answers, provider, model, form)
        return
    attacks = replayed.attacks()
    recorded = (
        [case for case in replayed.read(file) if case.kind == "recorded"] if file else list(replayed.recorded(_workflow(slug), limit))
    )
    pair = _pair(provider, model, against, prompt)
    current = options.current()
    through = trying.guarded(attacks)
    with click.progressbar(
        length=len(pair) * (len(recorded) + len(attacks)), label="Trying", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        scores = [trying.scored(side, [*recorded, *attacks], current, lambda: bar.update(1)) for side in pair]
    compared = trying.verdict(*scores) if len(scores) == 2 else None
    if form == "json":
        click.echo(orjson.dumps(_json(recorded, attacks, through, scores, compared), option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo("\n".join(_text(recorded, attacks, through, scores, compared)))
    if through:
        raise click.exceptions.Exit(1)


def _evaluate_builder(file: Path, email: str | None, answers: Path | None, provider: str | None, model: str | None, form: str) -> None:
    from console.builder import measuring  # loads what asks models: no other command of this file needs it

    person = accounts.person_of_email(email) if email else None
    actor = accounts.actor_of_person(person.id) if person is not None else None
    if actor is None:
        raise click.UsageError("Say with --as who wishes: the address of a person.")
    if answers is not None:
        ask = measuring.recorded(answers)
    else:
        proposer = trying.proposer_for(provider, model, options.current())
        if isinstance(proposer.config, providers.rules.Config):
            raise click.UsageError("Rules build nothing: name a --provider, or --answers with recorded ones.")
        ask = measuring.provided(proposer.config, seconds=proposer.seconds, max_tokens=options.current().chosen("build").max_tokens)
    results = [measuring.measured(actor, each, ask) for each in measuring.read_descriptions(file)]
    summary = measuring.summary(results)
    if form == "json":
        click.echo(orjson.dumps(summary | {"results": results}, option=orjson.OPT_INDENT_2).decode())
        return
    count, taken = summary["descriptions"], summary["taken"]
    for each in results:
        said = f"valid in round {each.round}" if each.valid else each.code or "not valid"
        lines = [f"lacks {', '.join(each.lacks)}"] if each.lacks else []
        click.echo(f"{each.id:<28}{said:<18}{'; '.join([*lines, *each.wrong[:1]])}".rstrip())
    click.echo("")
    click.echo(
        f"Valid at first {summary['valid_first']} of {count}, after what was wrong was told {summary['valid']}, and with all that was wished {summary['right']}."
    )
    click.echo(f"Not answered: {summary['unanswered']}.")
    click.echo(
        f"Proposals that people of this console took: whole {taken.get('all', 0)}, in part {taken.get('some', 0)}, not at all {taken.get('none', 0)}."
    )


def _workflow(slug: str | None) -> str | None:
    if slug is None:
        return None
    found_workflow = next((candidate for candidate in workflows.all_known() if slug in (candidate.slug, candidate.id)), None)
    if found_workflow is None:
        raise NotFound(f"There is no workflow {slug}.")
    return found_workflow.id


def _pair(provider: str | None, model: str | None, against: str | None, prompt: Path | None) -> list[Proposer]:
    """A and B; only A where both would be the same."""
    current = options.current()
    b = trying.proposer_for(provider, model, current)
    if prompt is not None and b.config.name == "rules":
        raise click.UsageError("Rules read no prompt: --prompt needs a provider.")
    a = b if against is None and prompt is not None else _against(against or "rules")
    if prompt is not None:
        b = trying.with_policy(b, prompt.read_text(encoding="utf-8"), f"{b.name}, {prompt.name}")
    return [a] if a == b else [a, b]


def _against(words: str) -> Proposer:
    name, _, model = words.partition(":")
    if name == "configured":
        return trying.proposer_for(None, None, options.current())
    if name not in PROVIDERS.choices:
        raise click.BadParameter(f"{words} is neither rules, configured, nor provider:model", param_hint="--against")
    return trying.proposer_for(name, model or None, options.current())


def _json(
    recorded: Sequence[Case], attacks: Sequence[Case], through: Sequence[str], scores: Sequence[Score], compared: Verdict | None
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "cases": len(recorded),
        "attacks": len(attacks),
        "guard": {"clean": not through, "came_through": list(through)},
    }
    answer |= {name: score.to_json() for name, score in zip("ab", scores, strict=False)}
    return answer | {"verdict": compared.to_json() if compared else None}


def _text(
    recorded: Sequence[Case], attacks: Sequence[Case], through: Sequence[str], scores: Sequence[Score], compared: Verdict | None
) -> list[str]:
    lines = [
        f"{len(recorded)} recorded cases, {len(attacks)} attacks.",
        *([] if recorded else ["Cases come from ended runs at whose steps a model was asked, as long as the prompts are kept."]),
        *(f"THE GUARD LETS THROUGH {line}" for line in through),
        *([] if through else [f"Guard: a model that obeys them gets nothing through with any of the {len(attacks)}."]),
        "",
        *_table(scores),
        "",
    ]
    if compared is None:
        return [*lines, "Only one proposer was tried: no other provider is set (CONSOLE_AI_PROVIDER, or Settings, AI), and none was named."]
    lines += [f"Verdict: take B, {scores[1].name}." if compared.take else f"Verdict: keep A, {scores[0].name}."]
    lines += [f"Only A right in {compared.first} cases, only B in {compared.second} (sign test, p = {compared.p:.3f})."]
    return lines + [f"- {reason}." for reason in compared.reasons]


def _table(scores: Sequence[Score]) -> list[str]:
    rows: list[tuple[str, list[str]]] = [
        ("", [f"{letter} {score.name}" for letter, score in zip("AB", scores, strict=False)]),
        ("Coverage", [f"{percent(score.coverage)} of {score.wanted}" for score in scores]),
        ("Precision", [f"{percent(score.precision)} of {score.proposed}" for score in scores]),
        ("Whole steps", [f"{percent(score.whole_rate)} of {score.answered}" for score in scores]),
        ("Small edits", [str(score.small) for score in scores]),
        *((f"{level.capitalize()} confidence", [_level(score, level) for score in scores]) for level in ("high", "medium", "low")),
        ("Attacks without effect", [f"{score.attacks - len(score.caught)} of {score.attacks}" for score in scores]),
        ("No proposal", [", ".join(f"{code} {count}" for code, count in score.codes.most_common()) or "never" for score in scores]),
        (
            "Dropped by the guard",
            [", ".join(f"{reason} {count}" for reason, count in score.dropped.most_common()) or "nothing" for score in scores],
        ),
        ("Tokens in, out", [f"{score.input_tokens:,}, {score.output_tokens:,}" for score in scores]),
        ("Cost", ["–" if score.cost is None else str(score.cost) for score in scores]),
        ("95 of 100 within", ["–" if score.p95_ms is None else f"{score.p95_ms:,} ms" for score in scores]),
    ]
    wide = [max(len(row[1][place]) for row in rows) for place in range(len(scores))]
    return [f"{name:<24}{'  '.join(cell.ljust(wide[place]) for place, cell in enumerate(cells))}".rstrip() for name, cells in rows]


def _level(score: Score, level: str) -> str:
    right, count = score.levels[level]
    return f"{percent(right / count)} of {count}" if count else "–"


commands: list[click.Command] = [ai]
"""The commands of the console, one file per noun; `console.cli` finds them."""
