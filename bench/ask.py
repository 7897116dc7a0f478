"""The bars of Ask: by search at most 80 ms, and by a model the first words at most 1.5 s after the provider's first.

Run as `.venv/bin/python bench/ask.py`. A run of the small company with a long text is asked about. The provider is one on this machine that streams, a
part each 5 ms; a thread works off the queue, looking each 10 ms. Its own client is the reference: how long it takes until the same first sentence has arrived there, in turn.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import rig  # the checkout on the path

from console.infra import jobs as queue
from tests import company, jobs
from tests.ai.proposals import conftest as asking
from tests.servers import model

ROUNDS, WARM = 12, 3
SEARCH_MS, WORDS_S = 80.0, 1.5
QUESTION = "Who is the employer?"
STORY = "I moved to Vilnius in March and my employer is Baltic Timber. " + "The rest of the letter. " * 300


def searched(actor: Any, place: Any) -> float:
    """Milliseconds until a question is answered by search."""
    from console.ai import cases

    begin = time.perf_counter()
    question_id = cases.ask(actor, place, QUESTION)
    took = time.perf_counter() - begin
    [found] = [each for each in cases.questions(actor, place) if each.id == question_id]
    if found.pending or not found.sentences:
        raise SystemExit("search found nothing")
    return took * 1_000


def first_words(actor: Any, place: Any) -> float:
    """Seconds until the first sentence of a model's answer is there for its asker."""
    from console.ai import cases

    begin = time.perf_counter()
    question_id = cases.ask(actor, place, QUESTION)
    took = 0.0
    while True:
        [found] = [each for each in cases.questions(actor, place) if each.id == question_id]
        took = took or (time.perf_counter() - begin if found.sentences else 0.0)
        if not found.pending:
            break
        time.sleep(0.01)
    if found.by != "model" or not took:
        raise SystemExit(f"no model answered: {found.why}")
    return took


def first_words_of_client(client: Any) -> float:
    """Seconds until the same sentence has arrived at the provider's own client."""
    from console.ai.case_answer import whole_so_far

    begin, heard, took = time.perf_counter(), "", 0.0
    with client.messages.stream(
        model=model.MODELS[0], max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
    ) as stream:
        for text in stream.text_stream:
            heard += text
            took = took or (time.perf_counter() - begin if whole_so_far(heard) else 0.0)
    return took


def work(ended: threading.Event) -> None:
    """Answer what is asked, as a worker does, until the end."""
    while not ended.wait(0.01):
        jobs.worked({queue.ASK})


def source_of_story(endpoint: model.Server, actor: Any, place: Any) -> str:
    """The id of the source that holds the text, of the first prompt that a worker sends."""
    from console.ai import cases

    for _ in range(10):
        cases.ask(actor, place, QUESTION)
        while any(each.pending for each in cases.questions(actor, place)):
            time.sleep(0.1)
        if endpoint.asked:
            before = endpoint.asked[-1].text.split("Baltic Timber")[0]
            return before.rpartition('<source id=\\"')[2].split('\\"')[0]
    raise SystemExit("no worker asks the model")


def answer(source: str) -> dict[str, Any]:
    """What the model says: four sentences with a quote each."""
    common = {"confidence": "high", "rationale": "It says so.", "sources": [source]}
    fields = [
        {"name": f"{name}_{number}", "value": value, **common}
        for number in (1, 2, 3, 4)
        for name, value in (
            ("sentence", f"The employer is Baltic Timber{' ' * number}."),
            ("quote", "my employer is Baltic Timber"),
        )
    ]
    return {"decision": "propose", "decline_reason": "", "flags": [], "fields": fields}


def main() -> int:
    """Measure, print, judge."""
    argparse.ArgumentParser(description="Ask, by search and by a model.").parse_args()
    with model.serving(keys={model.KEY}) as endpoint, rig.console(), tempfile.TemporaryDirectory() as folder:
        import anthropic

        from console.ai.cases import Place
        from console.infra import settings

        company.make(Path(folder))
        asking.triage({})
        house = asking.House(company.found(Path(folder)), endpoint)
        actor, place = house.company.olivia, Place(run=house.at_judge(story=STORY))
        search = [searched(actor, place) for _ in range(WARM + ROUNDS)][WARM:]
        os.environ |= {"ANTHROPIC_API_KEY": model.KEY, "ANTHROPIC_BASE_URL": endpoint.url}
        settings.current.cache_clear()
        ended = threading.Event()
        worker = threading.Thread(target=work, args=(ended,))
        worker.start()
        try:
            heard = source_of_story(endpoint, actor, place)
            endpoint.slowly_s = 0.005
            endpoint.obey(answer(heard), times=None)
            client = anthropic.Anthropic()
            ours, theirs = rig.in_turn(
                ROUNDS, lambda: first_words(actor, place), lambda: first_words_of_client(client)
            )
        finally:
            ended.set()
            worker.join()
    held = rig.held("Ask by search", statistics.median(search), " ms", most=SEARCH_MS)
    own = statistics.median(ours) - statistics.median(theirs)
    print(f"first words {statistics.median(ours):.2f} s, of the client {statistics.median(theirs):.2f} s")
    return 0 if rig.held("Ask, first words after the provider's", own, " s", most=WORDS_S) and held else 1


if __name__ == "__main__":
    sys.exit(main())
