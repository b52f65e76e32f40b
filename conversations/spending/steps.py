"""What a compaction's raw record says of the tokens that each of its losses freed."""

from typing import Any

from msgspec import Struct, ValidationError, convert

from conversations.spending.tally import Step

#: In `raw` of a compaction that was found by comparing requests: tokens that its last loss freed, and of each loss
#: before it [position, tokens].
FOUND_BY, DIFFERENCE = "found_by", "difference"
FREED, EARLIER = "freed_tokens", "earlier"


class _Said(Struct):
    found_by: str
    freed_tokens: int | None = None
    earlier: list[tuple[int, int]] = []


def steps_of(position: int, raw: Any) -> list[Step]:
    """The steps of a compaction that stands at `position`, the last one first. `raw` may be anything."""
    try:
        said = convert(raw, _Said)
    except ValidationError:
        return [Step(position)]
    if said.found_by != DIFFERENCE or said.freed_tokens is None:
        return [Step(position)]
    return [Step(position, said.freed_tokens), *(Step(*each) for each in said.earlier)]
