"""The names under which a model's call tells of itself: those of the conventions, their older ones, and other tools'.

GenAI semantic conventions (`gen_ai.*`, renamed several times), OpenInference (`llm.*`), OpenLLMetry (`llm.usage.*`,
`traceloop.*`), and Claude Code's, which have no prefix.
"""

from collections.abc import Mapping
from typing import Any

from conversations.ingest.events import Usage
from conversations.ingest.formats.base import (
    NAME_CHARACTERS,
    REASON_CHARACTERS,
    VERSION_CHARACTERS,
    key_of,
    list_of,
    mapping_of,
    name_of,
    text_of,
    tokens_of,
)
from conversations.ingest.formats.otlp import Record, Source, Span, structured
from conversations.tags import tags_said

Attributes = Mapping[str, Any]

_CONVERSATION = (
    "gen_ai.conversation.id",
    "session.id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.thread_id",
    "traceloop.association.properties.chat_id",
    "gcp.vertex.agent.session_id",
    "langfuse.session.id",
    "conversation.id",
    "conversation_id",
)
_TAGS = (
    "observatory.tags",
    "tag.tags",  # OpenInference
    "langfuse.trace.tags",
    "langfuse.tags",
    "traceloop.association.properties.tags",
)
_MODEL = ("gen_ai.response.model", "gen_ai.request.model", "llm.response.model_name", "llm.model_name")
_OLDER_MODEL = ("llm.request.model_name", "llm.response.model", "llm.request.model", "model")
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_AGENT = ("gen_ai.agent.name", "agent.name", "traceloop.workflow.name", "traceloop.entity.name")

#: Inclusive of what was read from and written to the cache, in every convention that has words for it.
_INPUT = (
    "gen_ai.usage.input_tokens",
    "llm.token_count.prompt",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
)
_OUTPUT = (
    "gen_ai.usage.output_tokens",
    "llm.token_count.completion",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
)
_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_input",
    "llm.usage.cache_read_input_tokens",
)
_WRITTEN = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
    "llm.usage.cache_creation_input_tokens",
)


def first(attributes: Attributes, *names: str) -> Any:
    """The value of the first of the names that has one."""
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def count(value: object) -> int | None:
    """A count of tokens or milliseconds; Claude Code writes some as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= 12:  # noqa: PLR2004 -- more is no count
        return tokens_of(int(value))
    return tokens_of(value)


def yes(value: object) -> bool | None:
    """True and "true", False and "false"; None for anything else."""
    return {"true": True, "false": False}.get(str(value).lower())


def conversation_of(told: Span | Record) -> str:
    """The id that the sender gave the conversation; "" = none. The resource's is the last to be asked."""
    for attributes in (told.attributes, told.source.attributes):
        for name in _CONVERSATION:
            if found := key_of(attributes.get(name)):
                return found
    return ""


def tags_of(told: Span | Record) -> list[str]:
    """The tags that the call and the program that made it were given: a list, or one text with commas between."""
    sides = (told.attributes, told.source.attributes)
    return sorted({tag for side in sides for name in _TAGS for tag in tags_said(structured(side.get(name)))})


def agent_of(attributes: Attributes, source: Source) -> tuple[str, str]:
    """The agent and its version: by its own name, else the service's."""
    name = name_of(first(attributes, *_AGENT)) or name_of(source.attributes.get("service.name"))
    version = first(attributes, "gen_ai.agent.version") or source.attributes.get("service.version")
    unnamed = name.startswith("unknown_service")  # what the SDK writes where nobody named it
    return "" if unnamed else name[:NAME_CHARACTERS], name_of(version, VERSION_CHARACTERS)


def model_of(attributes: Attributes) -> str:
    """The model that answered, else the one that was asked."""
    return name_of(first(attributes, *_MODEL, *_OLDER_MODEL))


def provider_of(attributes: Attributes) -> str:
    """As the sender calls it, in lower case: anthropic, openai, aws.bedrock and so on."""
    return name_of(first(attributes, *_PROVIDER)).lower()


def usage_of(attributes: Attributes) -> Usage:
    """The tokens, on our basis: input without what was read from and written to the cache.

    An input smaller than both together cannot include them: older instrumentations told Anthropic's count as it is."""
    read, written = count(first(attributes, *_READ)), count(first(attributes, *_WRITTEN))
    fresh = count(first(attributes, *_INPUT))
    if fresh is None:
        return _plain_usage(attributes)
    cached = (read or 0) + (written or 0)
    return Usage(
        input_tokens=fresh - cached if fresh >= cached else fresh,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=count(first(attributes, *_OUTPUT)),
    )


def _plain_usage(attributes: Attributes) -> Usage:
    """Claude Code's names: Anthropic's counts, input without the cache's."""
    return Usage(
        input_tokens=count(attributes.get("input_tokens")),
        cache_read_tokens=count(attributes.get("cache_read_tokens")),
        cache_write_tokens=count(attributes.get("cache_creation_tokens")),
        output_tokens=count(first(attributes, *_OUTPUT, "output_tokens")),
    )


def summarising_usage(attributes: Attributes) -> Usage | None:
    """What Anthropic's SDK and OpenInference tell of the calls that wrote a summary, which no other count includes.

    None = no such call. The SDK's input includes the cache's, and says not how much that was."""
    asked = count(attributes.get("anthropic.usage.compaction.input_tokens"))
    answered = count(attributes.get("anthropic.usage.compaction.output_tokens"))
    return None if asked is None and answered is None else Usage(input_tokens=asked, output_tokens=answered)


def stop_reason_of(attributes: Attributes) -> str:
    """The provider's own word where it is told, else the convention's."""
    own = first(attributes, "anthropic.message.stop_reason", "stop_reason", "llm.finish_reason")
    listed = list_of(structured(attributes.get("gen_ai.response.finish_reasons")))
    return name_of(own or next(iter(listed), ""), REASON_CHARACTERS)


def betas_of(attributes: Attributes) -> str:
    """The beta features asked for, as the header has them."""
    return ",".join(text_of(beta) for beta in list_of(attributes.get("anthropic.beta")))


def metadata_of(attributes: Attributes) -> dict[str, Any]:
    """OpenInference's JSON of what has no attribute."""
    return mapping_of(structured(attributes.get("metadata")))
