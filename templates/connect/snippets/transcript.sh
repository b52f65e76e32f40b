curl "{{ url }}/api/v1/transcripts?wait=1&name=session.jsonl" \
  -H "Authorization: Bearer {{ key }}" \
  --data-binary @session.jsonl
