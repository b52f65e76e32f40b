"""Level 1: one line to be observed, one parameter to be compacted."""

import anthropic
from observatory_recorder import observe

client = observe(anthropic.Anthropic(), agent="support-bot", conversation="ticket-17")

messages = [{"role": "user", "content": "Refund order 8812. Never write to my old address."}]
answer = client.beta.messages.create(
    model="claude-opus-5-5",
    max_tokens=4096,
    messages=messages,
    betas=["compact-2026-01-12"],
    context_management={"edits": [{"type": "compact_20260112"}]},
)
messages.append({"role": "assistant", "content": answer.content})  # a summary in it takes the place of what was before
print("".join(block.text for block in answer.content if block.type == "text"))
