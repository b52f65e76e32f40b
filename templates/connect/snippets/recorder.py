import anthropic
from observatory_recorder import observe

client = observe(anthropic.Anthropic(), agent="support-bot", conversation="ticket-17")

message = client.messages.create(
    model="claude-sonnet-5-5",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Please refund order 8812."}],
)
