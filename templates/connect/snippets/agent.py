import anthropic
from observatory_recorder import Compaction, observe, run_agent

client = observe(anthropic.Anthropic(), agent="support-bot", conversation="ticket-17")


def on_compaction(event):
    print(f"compaction {event.number}: {event.summary}")


run = run_agent(
    client,
    model="claude-sonnet-5-5",
    compaction=Compaction(threshold=150_000),
    on_compaction=on_compaction,
    messages=[{"role": "user", "content": "Work through the open tickets."}],
)
print(run.text)
