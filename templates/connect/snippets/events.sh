curl "{{ url }}/api/v1/events?wait=1" \
  -H "Authorization: Bearer {{ key }}" \
  -H "Content-Type: application/json" \
  --data-binary @- <<'JSON'
{"events": [
  {"type": "message", "id": "m1", "conversation": "first-events", "role": "user", "content": "Please refund order 8812."},
  {"type": "request", "id": "r1", "conversation": "first-events", "model": "claude-sonnet-5-5",
   "usage": {"input_tokens": 812, "cache_read_tokens": 150000, "output_tokens": 61}},
  {"type": "compaction", "id": "k1", "conversation": "first-events", "kind": "client",
   "summary": "The customer wants a refund for order 8812."}
]}
JSON
