curl "{{ url }}/api/v1/exchanges?wait=1" \
  -H "Authorization: Bearer {{ key }}" \
  -H "Content-Type: application/json" \
  --data-binary @- <<'JSON'
{"exchanges": [{
  "conversation": "first-exchange",
  "agent": "my-agent",
  "request": {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Please refund order 8812."}]
  },
  "response": {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "Done."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 14, "output_tokens": 3}
  }
}]}
JSON
