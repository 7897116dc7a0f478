"""Earlier findings by people are not used as proposals for a new review."""

import re
from collections.abc import Sequence

from console.core.proposal_types import FieldSpec, Source

IN_RECORDS = frozenset({"record", "related"})
_APART = re.compile(r"[\W_]+")


def is_earlier(spec: FieldSpec, source: Source, key: str) -> bool:
    """Whether the source holds, under the field's own name or label, what was found when this was judged before: the field is judged anew at this step."""
    if not spec.finding or source.kind not in IN_RECORDS:
        return False
    own = {
        normalise_name(spec.name),
        normalise_name(spec.name.partition(".")[0]),
        normalise_name(spec.label),
    } - {""}
    return bool(own & {normalise_name(key.rpartition(".")[2]), normalise_name(source.labels.get(key, ""))})


def normalise_name(name: str) -> str:
    """A name without what only writes it differently: `in_register` and `In register` are the same."""
    return _APART.sub("", name).casefold()


def rests_on_earlier(spec: FieldSpec, cited: Sequence[Source]) -> bool:
    """Whether every source that is cited holds such an earlier finding."""
    return bool(cited) and all(any(is_earlier(spec, source, key) for key in source.data) for source in cited)
