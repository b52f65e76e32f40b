"""The pair of bodies that a model call's telemetry stands for, as the API's own exchange would have them."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.otlp import Moment, structured
from conversations.ingest.formats.otlp_events import content_of_moments
from conversations.ingest.formats.otlp_flat import is_gapless, openinference_messages, openllmetry_messages
from conversations.ingest.formats.otlp_names import first
from conversations.ingest.formats.otlp_parts import Content, content_of, is_cut_off

Attributes = Mapping[str, Any]

_SENT = ("gen_ai.input.messages", "gen_ai.prompt", "gen_ai.input_messages")
_ANSWERED = ("gen_ai.output.messages", "gen_ai.completion", "gen_ai.output_messages")
_SYSTEM = ("gen_ai.system_instructions", "gen_ai.system.message")


class Bodies(Struct, frozen=True):
    """Request and response; `endpoint` "" = to be recognised. `whole`: nothing that was sent is left out."""

    request: dict[str, Any]
    response: dict[str, Any]
    endpoint: str = ""
    whole: bool = True


def verbatim(attributes: Attributes) -> Bodies | None:
    """OpenInference keeps the very bodies of the client's call in input.value and output.value."""
    request = mapping_of(structured(attributes.get("input.value")))
    said = request.get("messages", request.get("input"))
    if not (isinstance(said, str) and said) and not _is_messages(said):
        return None
    response = mapping_of(structured(attributes.get("output.value")))
    return Bodies(request, {name: value for name, value in response.items() if name != "id"})


def _is_messages(said: object) -> bool:
    items = list_of(said)
    return bool(items) and all("role" in mapping_of(item) or "type" in mapping_of(item) for item in items)


def content_told(attributes: Attributes, moments: Iterable[Moment] = (), *, cut: bool = False) -> Content:
    """The messages that the attributes, or the events of the span, tell; an empty Content where they tell none.

    `cut`: the exporter dropped attributes, so that what stands in one attribute a field may have holes."""
    told = dict(attributes)
    moments = list(moments)
    for moment in moments:  # older drafts had them in events, a newer one has an event for all of them
        told |= {name: value for name, value in moment.attributes.items() if name not in told}
    halves = [name for name in (*_SYSTEM, *_SENT[:1], *_ANSWERED[:1]) if is_cut_off(told.get(name))]
    told = {name: value for name, value in told.items() if name not in halves}
    whole = told.get("anthropic.content.truncated") is not True and _SENT[0] not in halves
    content = content_of(first(told, *_SYSTEM), first(told, *_SENT), first(told, *_ANSWERED), whole=whole)
    return content or _flat(told, cut=cut) or content_of_moments(moments, whole=not cut)


def is_shortened(attributes: Attributes) -> bool:
    """Whether a limit on the length of attributes left half a JSON text of the messages."""
    return any(is_cut_off(attributes.get(name)) for name in (_SENT[0], _ANSWERED[0]))


def _flat(told: Attributes, *, cut: bool) -> Content:
    for sent, answered, read in (
        ("llm.input_messages", "llm.output_messages", openinference_messages),
        ("gen_ai.prompt", "gen_ai.completion", openllmetry_messages),
        ("llm.prompts", "llm.completions", openllmetry_messages),
    ):
        content = content_of(None, read(told, sent), read(told, answered), whole=not cut and is_gapless(told, sent))
        if content:
            return structs.replace(content, answer=_verbatim_answer(told) or content.answer)
    return Content()


def _verbatim_answer(told: Attributes) -> list[dict[str, Any]]:
    """The answer's own blocks: it is written last, and not dropped when the request is."""
    answer = mapping_of(structured(told.get("output.value")))
    return [mapping_of(block) for block in list_of(answer.get("content")) if "type" in mapping_of(block)]


def bodies_of(content: Content) -> Bodies:
    """The content as a Messages API pair. Of a context with holes only what is new since the last answer in it."""
    messages = content.messages if content.whole else _since_last_answer(content.messages)
    request = {"system": content.system, "messages": messages}
    return Bodies(request, {"content": content.answer}, "messages", content.whole)


def _since_last_answer(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    roles = [text_of(message.get("role")) for message in messages]
    last = max((place for place, role in enumerate(roles) if role == "assistant"), default=-1)
    return messages[last + 1 :]
