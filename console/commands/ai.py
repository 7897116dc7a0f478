"""Commands about proposals: cases out of the record, and trying models and rules on them."""

import sys
from pathlib import Path

import click
import orjson

from console import log, workflows
from console.ai import providers
from console.ai.evaluation import evaluate as trying, replayed
from console.ai.evaluation.evaluate import Score
from console.ai.evaluation.report_words import percent
from console.ai.proposals import options
from console.auth import accounts
from console.core.actor import COMMAND_LINE
from console.core.errors import NotFound

PROVIDERS = click.Choice(["anthropic", "openai_compatible", "rules"])

ai = click.Group("ai", help="How good proposals are, tried on recorded cases.")


@ai.command("cases", epilog="Example: console ai cases --workflow kyc-review --out cases.jsonl")
@click.option("--workflow", "slug", default=None, help="Of this workflow only.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write, a case a line.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=replayed.MOST,
    show_default=True,
    help="At most so many, the newest.",
)
def cases(slug: str | None, out: Path, limit: int) -> None:
    """Write recorded cases to a file: what was asked, after redaction, and what the person put in, of runs that have ended."""
    count = replayed.write(replayed.recorded(_workflow(slug), limit), out)
    log.note(
        COMMAND_LINE,
        "ai_cases_exported",
        open={"count": count, "workflow": _workflow(slug)},
        chain=workflows.CHAIN,
    )
    click.echo(f"{count} cases written to {out}")


@ai.command(
    "evaluate",
    epilog="Example: console ai evaluate --cases cases.jsonl --provider anthropic --model claude-haiku-5-5",
)
@click.option(
    "--cases",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of cases; without it, those that are still stored.",
)
@click.option("--workflow", "slug", default=None, help="Stored cases of this workflow only.")
@click.option("--provider", type=PROVIDERS, default=None, help="Who is tried; without it, who is asked now.")
@click.option("--model", default=None, help="Which model of theirs.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=replayed.MOST,
    show_default=True,
    help="At most so many stored cases, the newest.",
)
@click.option(
    "--builder",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of descriptions of workflows: how good the builder is with each, in the place of cases.",
)
@click.option(
    "--as",
    "email",
    default=None,
    metavar="EMAIL",
    help="With --builder: who wishes. The model gets the names that they may see.",
)
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --builder: recorded answers; no provider is asked.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the report is printed.",
)
def evaluate(
    file: Path | None,
    slug: str | None,
    provider: str | None,
    model: str | None,
    limit: int,
    builder: Path | None,
    email: str | None,
    answers: Path | None,
    form: str,
) -> None:
    """Try a model or the rules on cases, and print how good its proposals are.

    Nothing of it touches a run. Providers are really asked, and what they bill is billed. Ends with 1 when an attack among the cases comes through.
    """
    if builder is not None:
        _evaluate_builder(builder, email, answers, provider, model, form)
        return
    cases = replayed.read(file) if file else list(replayed.recorded(_workflow(slug), limit))
    current = options.current()
    with click.progressbar(
        length=len(cases), label="Trying", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        score = trying.scored(
            trying.proposer_for(provider, model, current), cases, current, lambda: bar.update(1)
        )
    click.echo(
        orjson.dumps(score.to_json(), option=orjson.OPT_INDENT_2).decode()
        if form == "json"
        else "\n".join(_text(score))
    )
    if score.caught:
        raise click.exceptions.Exit(1)


def _evaluate_builder(
    file: Path, email: str | None, answers: Path | None, provider: str | None, model: str | None, form: str
) -> None:
    from console.authoring.builder import (
        measuring,
    )  # loads what asks models: no other command of this file needs it

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
        ask = measuring.provided(
            proposer.config, seconds=proposer.seconds, max_tokens=options.current().chosen("build").max_tokens
        )
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
    found = workflows.find_known(slug)
    if found is None:
        raise NotFound(f"There is no workflow {slug}.")
    return found.id


def _text(score: Score) -> list[str]:
    codes = ", ".join(f"{code} {count}" for code, count in score.codes.most_common()) or "never"
    dropped = ", ".join(f"{reason} {count}" for reason, count in score.dropped.most_common()) or "nothing"
    rows = [
        ("Coverage", f"{percent(score.coverage)} of {score.wanted}"),
        ("Precision", f"{percent(score.precision)} of {score.proposed}"),
        ("Whole steps", f"{percent(score.whole_rate)} of {score.answered}"),
        ("Small edits", str(score.small)),
        *((f"{level.capitalize()} confidence", _level(score, level)) for level in ("high", "medium", "low")),
        ("Attacks without effect", f"{score.attacks - len(score.caught)} of {score.attacks}"),
        ("No proposal", codes),
        ("Dropped by the guard", dropped),
        ("Tokens in, out", f"{score.input_tokens:,}, {score.output_tokens:,}"),
        ("Cost", "–" if score.cost is None else str(score.cost)),
        ("95 of 100 within", "–" if score.p95_ms is None else f"{score.p95_ms:,} ms"),
    ]
    return [
        f"{score.name}: {score.cases} recorded cases, {score.attacks} attacks.",
        *(
            []
            if score.cases
            else [
                "Cases come from ended runs at whose steps a model was asked, as long as the prompts are kept."
            ]
        ),
        *(f"COMES THROUGH {case}" for case in score.caught),
        "",
        *(f"{name:<24}{said}" for name, said in rows),
    ]


def _level(score: Score, level: str) -> str:
    right, count = score.levels[level]
    return f"{percent(right / count)} of {count}" if count else "–"


commands: list[click.Command] = [ai]
"""The commands of the console, one file per noun; `console.cli` finds them."""
