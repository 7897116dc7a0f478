"""Earlier findings by people are not used as proposals for a new review."""

from collections.abc import Sequence

from console.ai.types import FieldSpec, Source

IN_RECORDS = frozenset({"record", "related"})


def is_earlier(spec: FieldSpec, source: Source, key: str) -> bool:
    """Whether the source holds, under the field's own name, what was found when this was judged before: the field is judged anew at this step."""
    return spec.finding and source.kind in IN_RECORDS and key.rpartition(".")[2] in {spec.name, spec.name.partition(".")[0]}


def rests_on_earlier(spec: FieldSpec, cited: Sequence[Source]) -> bool:
    """Whether every source that is cited holds such an earlier finding."""
    return bool(cited) and all(any(is_earlier(spec, source, key) for key in source.data) for source in cited)
