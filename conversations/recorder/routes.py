"""Which requests are recorded, told by method and path; what the path says of model and provider."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Route:
    """A kind of request that is recorded. `model` where the path has it and the body does not; `batch` whose results
    are fetched."""

    endpoint: str
    model: str = ""
    batch: str = ""


BATCHES, RESULTS = "batches", "batches/results"
_ENDS = (
    ("/messages", "messages"),
    ("/messages/batches", BATCHES),
    ("/messages/count_tokens", "count_tokens"),
    ("/responses", "responses"),
    ("/responses/compact", "responses/compact"),
    ("/chat/completions", "chat/completions"),
)
_BEDROCK = re.compile(r"/model/([^/]+)/invoke(?:-with-response-stream)?$")
_VERTEX = re.compile(r"/publishers/anthropic/models/([^/:]+)(?::|%3A)(?:streamRawPredict|rawPredict)$")
_FETCHED = re.compile(r"/messages/batches/([^/]+)/results$")
_COUNTED_BY_VERTEX = "count-tokens"

# How the classes of the `anthropic` package begin, longest first; everything else says it in its bodies.
_PROVIDERS = (
    ("AnthropicBedrock", "bedrock"),
    ("AnthropicGoogleCloud", "vertex"),
    ("AnthropicVertex", "vertex"),
    ("AnthropicFoundry", "foundry"),
    ("AnthropicAWS", "aws"),
    ("Anthropic", "anthropic"),
    ("AzureOpenAI", "azure"),
    ("OpenAI", "openai"),
)


@lru_cache(maxsize=256)
def route_of(method: str, path: str) -> Route | None:
    """None = not a model call, or one that is not recorded. `path` without its query."""
    if method == "GET" and (found := _FETCHED.search(path)):
        return Route(RESULTS, batch=unquote(found[1]))
    if method != "POST":
        return None
    for end, endpoint in _ENDS:
        if path.endswith(end):
            return Route(endpoint)
    if found := _BEDROCK.search(path):
        return Route("messages", unquote(found[1]))
    if found := _VERTEX.search(path):
        model = unquote(found[1])
        return Route("count_tokens") if model == _COUNTED_BY_VERTEX else Route("messages", model)
    return None


def provider_of(client: object) -> str:
    """By the client's class or the classes it is made from; "" where none is known."""
    names = [kind.__name__.removeprefix("Async") for kind in type(client).__mro__]
    return next((provider for name in names for start, provider in _PROVIDERS if name.startswith(start)), "")
