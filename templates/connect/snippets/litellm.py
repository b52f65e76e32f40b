import litellm

litellm.callbacks = ["otel"]

litellm.completion(
    model="anthropic/claude-sonnet-5-5",
    messages=[{"role": "user", "content": "Please refund order 8812."}],
)
