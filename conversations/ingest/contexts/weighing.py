"""How many tokens each message of a context weighs, learnt from what the requests were billed for.

A request's context is what frames it (the system prompt, tools) and its messages. Of these most were weighed before;
what is left is shared among the new ones and the last answer by their length, so that the sum is always the one that
was billed. An answer is weighed when it is sent back: what the model thought was billed as output, and is not sent.
"""

from collections.abc import Iterable, Sequence

import msgspec

from conversations.ingest.contexts.known import Head, Held
from conversations.ingest.events import Block, Image, ToolCall
from conversations.ingest.exchange import Call, Exchange, Spoken

#: A rough measure where nothing was billed: a beginning of which the frame is not known, a message cut at once.
CHARACTERS_A_TOKEN = 4
#: An image is billed by its area, at most some 1,600 tokens.
_IMAGE = 1600 * CHARACTERS_A_TOKEN
_encode = msgspec.json.Encoder().encode


def size_of(message: Spoken) -> int:
    """Its length in characters, as far as the model reads it."""
    return sum(map(_size, message.blocks))


def _size(block: Block) -> int:
    if isinstance(block, ToolCall):
        return len(block.name) + len(_encode(block.input))
    return _IMAGE if isinstance(block, Image) else len(block.text)


def weigh(head: Head, exchange: Exchange) -> None:
    """Note what those messages weigh that this exchange is the first to be billed for. Nothing, if it does not say.

    A message has at most a token for each character; what is over frames the request from now on."""
    sent = head.held[: len(head.held) - head.answered]
    context = _context(exchange)
    if context is None or not sent:
        return
    new = [message for message in sent if message.tokens is None]
    if head.frame is None:
        head.frame = max(0, context - sum(map(_estimate, sent)))
    rest = context - head.frame - sum(message.tokens or 0 for message in sent)
    weighed = sum(_share(new, max(0, rest)))
    head.frame = max(0, head.frame + rest - weighed)


def _share(messages: Sequence[Held], tokens: int) -> Iterable[int]:
    """Split by length; what does not come out even goes to the later ones."""
    length = sum(message.size for message in messages)
    for message in messages:
        message.tokens = min(message.size, tokens * message.size // length if length else 0)
        tokens, length = tokens - message.tokens, length - message.size
        yield message.tokens


def _context(exchange: Exchange) -> int | None:
    """What the last model call of the exchange read; None where its context is not what was sent, or not known."""
    turn = next((call for call in reversed(exchange.calls) if call.purpose == "turn"), None)
    return None if turn is None or exchange.announced else _read(turn)


def _read(call: Call) -> int | None:
    usage = call.usage
    if call.context_tokens is not None:
        return call.context_tokens
    if usage.input_tokens is None:
        return None
    return usage.input_tokens + (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)


def weight_of(messages: Iterable[Held]) -> int:
    """The tokens of several messages; of one that was never billed, an estimate."""
    return sum(_estimate(message) if message.tokens is None else message.tokens for message in messages)


def _estimate(message: Held) -> int:
    return message.size // CHARACTERS_A_TOKEN
