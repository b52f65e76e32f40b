"""Level 2: a long-running agent that pauses at each compaction, counts, and ends politely when its budget is spent."""

import anthropic
from anthropic import beta_tool
from observatory_recorder import Budget, BudgetExceeded, Compaction, observe, run_agent

client = observe(anthropic.Anthropic(), agent="support-bot", conversation="night-shift")


@beta_tool
def next_ticket() -> str:
    """The oldest open ticket, or nothing."""
    return "Ticket 17: refund order 8812, and never write to the old address."


def on_compaction(event):
    print(f"compaction {event.number}: {event.input_tokens + event.output_tokens:,} tokens for the summary")
    return event.last_turn()  # kept word for word, behind the summary


try:
    run = run_agent(
        client,
        model="claude-opus-5-5",
        system="Work through the tickets, one after the other.",
        messages=[{"role": "user", "content": "Begin."}],
        tools=[next_ticket],
        compaction=Compaction(threshold=100_000, pause=True),
        on_compaction=on_compaction,
        budget=Budget(
            total_tokens=3_000_000, message="Please wrap up your current work and summarize the final state."
        ),
        on_budget=lambda status: print(f"budget: {status}"),
    )
    print(f"{run.text} ({run.stopped} after {len(run.compactions)} compactions and {run.total_tokens:,} tokens)")
except BudgetExceeded as error:  # the team's budget says "block"
    print(error)
