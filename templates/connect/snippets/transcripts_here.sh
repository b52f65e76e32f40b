manage.py import ~/.claude/projects ~/.codex/sessions --workspace {{ slug }}
