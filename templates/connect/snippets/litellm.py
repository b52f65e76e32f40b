import litellm
from observatory_recorder.litellm_callback import ObservatoryLogger

litellm.callbacks = [ObservatoryLogger(agent="support-bot")]

litellm.completion(
    model="anthropic/claude-sonnet-5-5",
    messages=[{"role": "user", "content": "Please refund order 8812."}],
    metadata={"session_id": "ticket-17"},
)
