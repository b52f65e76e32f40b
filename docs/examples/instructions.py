"""Level 3: instructions of your own for the summary. The Observatory compares what each wording keeps."""

import anthropic
from observatory_recorder import Compaction, instructions_version, observe, run_agent

INSTRUCTIONS = """Summarize the conversation in <summary></summary>. Keep word for word:
every rule of the user, every path, number and id, and what was tried and did not work."""

client = observe(anthropic.Anthropic(), agent="support-bot", agent_version=instructions_version(INSTRUCTIONS))

run = run_agent(
    client,
    model="claude-opus-5-5",
    messages=[{"role": "user", "content": "Port the module to the new API. Do not touch the tests."}],
    compaction=Compaction(instructions=INSTRUCTIONS),
)
print(run.text)
for event in run.compactions:
    print(f"compaction {event.number} by instructions {event.instructions_version}")
