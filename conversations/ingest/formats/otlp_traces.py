"""Which conversation a span belongs to, when it does not say so itself: what stands above it, and beside it, does."""

from collections.abc import Iterable, Sequence

from conversations.ingest.formats.otlp import Record, Span
from conversations.ingest.formats.otlp_compactions import is_compaction
from conversations.ingest.formats.otlp_names import conversation_of


class Traces:
    """The spans of one export request by id. Parents end after their children and come after them, or not at all."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = {(span.trace, span.id): span for span in spans}
        self._named = _named(spans)

    def above(self, span: Span) -> Iterable[Span]:
        """The parent, its parent and so on, as far as they are here."""
        seen = {span.id}
        above = self._spans.get((span.trace, span.parent))
        while above is not None and above.id not in seen:
            seen.add(above.id)
            yield above
            above = self._spans.get((above.trace, above.parent))

    def conversation(self, span: Span) -> str:
        """The span's own, that of what stands above it, that of its trace if it has but one; else the trace itself."""
        named = (conversation_of(each) for each in (span, *self.above(span)))
        return next(filter(None, named), "") or self._named.get(span.trace, "") or span.trace

    def is_alone(self, span: Span) -> bool:
        """Whether the trace is this one call: then it does not say which calls belong together."""
        return not span.parent and span.trace not in self._named and not conversation_of(span)

    def is_summarising(self, span: Span) -> bool:
        """Whether the call was made in order to compact."""
        return any(is_compaction(above.attributes, above.name) for above in self.above(span))


def _named(spans: Iterable[Span | Record]) -> dict[str, str]:
    """The conversation of each trace whose spans name one and the same."""
    names: dict[str, set[str]] = {}
    for span in spans:
        if name := conversation_of(span):
            names.setdefault(span.trace, set()).add(name)
    return {trace: next(iter(found)) for trace, found in names.items() if len(found) == 1}
