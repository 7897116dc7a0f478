"""What switching a workflow on would cost, told at once: a small funnel, or the one that the same person asked for today, for all who match."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console import browse, log
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.errors import ConsoleError
from console.forecasts import kept_funnels, whom_it_lets_in
from console.forecasts.kept_funnels import Wanted
from console.forecasts.spending import Spend
from console.messages import channel_settings
from console.workflows import Definition

MOST = 100
LONGEST_S = 1.0
FRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The spend for `matching` who would be let in, of whom `walked` were followed. `at_least`: there are more, and nobody has counted them."""

    spend: Spend
    walked: int
    matching: int
    at_least: bool = False

    def to_json(self) -> dict[str, Any]:
        """ACTIVATION_SPEND of the API."""
        return {"walked": self.walked, "matching": self.matching, "at_least": self.at_least, "spend": self.spend.to_json()}


def estimate(actor: Actor, definition: Definition) -> Estimate | None:
    """The estimate; None where nobody would be let in. Raises NotFound, NotAllowed, SourceDown."""
    known = kept_funnels.newest(actor, definition.id)
    fits = (
        known is not None
        and known.result is not None
        and known.created_at > log.now() - FRESH
        and known.result.version == (definition.number if definition.number > 0 else None)
        and not known.wanted.whom
        and not channel_settings.changed_since(known.created_at)
    )
    if known is not None and known.result is not None and fits:
        funnel = known.result
    else:
        funnel = kept_funnels.counted(actor, definition, Wanted(), most=MOST, longest_s=LONGEST_S)
    if not funnel.walked:
        return None
    matching = _matching(actor, definition) if funnel.more else funnel.walked
    total = max(funnel.walked, (matching or 0) - funnel.inside - funnel.leaving)
    return Estimate(funnel.spend.times(funnel.walked, total), funnel.walked, total, at_least=funnel.more and matching is None)


def _matching(actor: Actor, definition: Definition) -> int | None:
    """How many its triggers would take: of those that name a segment or everybody. None where each record has to be looked at."""
    document = definition.document
    ways, _ = whom_it_lets_in.ways_in(document)
    if document.collection is None or len(ways) != 1 or ways[0].filter is not None:
        return None
    try:
        counted = browse.count(actor, document.collection, BrowseQuery(segment=ways[0].segment))
    except ConsoleError:
        return None
    return counted.total if counted.total <= browse.CAP else counted.about
