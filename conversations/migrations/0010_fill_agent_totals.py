"""What agents sent over all days, from the days. Apart from the table: its deferred keys would hold up making it."""

from django.db import migrations

NAMES = (
    "calls, unknown_calls, partial_calls, uncertain_calls, input_tokens, cache_read_tokens, cache_write_tokens,"
    " output_tokens, freed_input_tokens, freed_read_tokens, freed_write_tokens, compactions, unpriced_compactions,"
    " summary_input_tokens, summary_read_tokens, summary_write_tokens, summary_output_tokens"
)
FILL = f"""INSERT INTO conversations_agenttotal (workspace_id, agent_id, model, {NAMES})
    SELECT workspace_id, agent_id, model, {', '.join(f'sum({name.strip()})' for name in NAMES.split(','))}
    FROM conversations_agentday GROUP BY 1, 2, 3"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0009_agent_totals")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
