"""What Django's models cannot say: foreign keys that include the workspace, how columns are stored, triggers.

Apart from the tables: the unique indexes that the keys need are there only when these have been made.
"""

from django.db import migrations

from conversations.models.migrating import LATER, forget, within_workspace

LINKS = [
    within_workspace("message", "conversation_id", "conversation"),
    within_workspace("request", "conversation_id", "conversation"),
    within_workspace("compaction", "conversation_id", "conversation"),
    within_workspace("message", "dropped_by_id", "compaction", forget("dropped_by_id")),
    within_workspace("conversation", "agent_id", "agent", LATER),
    within_workspace("batch", "api_key_id", "apikey", forget("api_key_id")),
    within_workspace("batch", "continues_id", "batch", forget("continues_id")),
    within_workspace("batchchunk", "batch_id", "batch"),
    within_workspace("batchproblem", "batch_id", "batch"),
    within_workspace("compactionaudit", "compaction_id", "compaction"),
    within_workspace("finding", "conversation_id", "conversation"),
    within_workspace("finding", "compaction_id", "compaction"),
    within_workspace("addition", "compaction_id", "compaction"),
    within_workspace("lifeline", "conversation_id", "conversation"),
    within_workspace("llmcall", "compaction_id", "compaction", forget("compaction_id")),
    within_workspace("llmreading", "compaction_id", "compaction"),
    within_workspace("compaction", "copy_of_id", "compaction", forget("copy_of_id")),
    within_workspace("conversationcount", "conversation_id", "conversation"),
    within_workspace("conversationcount", "agent_id", "agent", LATER),
    within_workspace("conversationday", "conversation_id", "conversation"),
    within_workspace("agentday", "agent_id", "agent", LATER),
    within_workspace("contextpage", "contexts_id", "knowncontexts"),
    within_workspace("agenttotal", "agent_id", "agent", LATER),
    within_workspace("activity", "api_key_id", "apikey", forget("api_key_id")),
    within_workspace("apikey", "replaced_by_id", "apikey", forget("replaced_by_id"), name="api_key_replaced_within_workspace"),
    within_workspace("llmanswer", "compaction_id", "compaction"),
    within_workspace("hold", "conversation_id", "conversation"),
    within_workspace("deletiontarget", "deletion_id", "deletion"),
    within_workspace("deletiontarget", "conversation_id", "conversation"),
    within_workspace("queueitem", "queue_id", "queue"),
    within_workspace("queueitem", "compaction_id", "compaction"),
    within_workspace("reservation", "item_id", "queueitem"),
    within_workspace("review", "compaction_id", "compaction"),
    within_workspace("review", "item_id", "queueitem"),
    within_workspace("verdict", "review_id", "review"),
    within_workspace("verdict", "compaction_id", "compaction"),
    within_workspace("mark", "review_id", "review"),
    within_workspace("mark", "compaction_id", "compaction"),
    within_workspace("channel", "escalate_to_id", "channel", forget("escalate_to_id")),
    within_workspace("rulechannel", "rule_id", "rule"),
    within_workspace("rulechannel", "channel_id", "channel"),
    within_workspace("ruleprogress", "rule_id", "rule"),
    within_workspace("incident", "rule_id", "rule"),
    within_workspace("incident", "budget_id", "budget"),
    within_workspace("incidentevent", "incident_id", "incident"),
    within_workspace("incidentevent", "api_key_id", "apikey", forget("api_key_id")),
    within_workspace("delivery", "channel_id", "channel"),
    within_workspace("delivery", "incident_id", "incident"),
    within_workspace("delivery", "cause_id", "incidentevent"),
    within_workspace("silence", "rule_id", "rule"),
    within_workspace("silence", "budget_id", "budget"),
    within_workspace("conversationslot", "conversation_id", "conversation"),
    within_workspace("agentslot", "agent_id", "agent", LATER),
    within_workspace("budgetchannel", "budget_id", "budget"),
    within_workspace("budgetchannel", "channel_id", "channel"),
    within_workspace("budgetoverride", "budget_id", "budget"),
    within_workspace("budgetevent", "budget_id", "budget", forget("budget_id")),
    within_workspace("thread", "compaction_id", "compaction"),
    within_workspace("comment", "thread_id", "thread"),
]

# Postgres's own compression takes 90 µs for 4 kB, more than all the rest of storing a message. The embedded server and
# some packages are built without lz4; there the text is stored as it is.
COMPRESS = """
DO $$
BEGIN
    ALTER TABLE conversations_message ALTER COLUMN blocks SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE conversations_message ALTER COLUMN blocks SET STORAGE EXTERNAL;
END $$
"""
UNCOMPRESS = "ALTER TABLE conversations_message ALTER COLUMN blocks SET STORAGE EXTENDED"
# The bytes of batches are compressed already; trying again only costs.
KEEP_BYTES = "ALTER TABLE conversations_batchchunk ALTER COLUMN body SET STORAGE EXTERNAL"
UNKEEP_BYTES = "ALTER TABLE conversations_batchchunk ALTER COLUMN body SET STORAGE EXTENDED"

#: In Postgres, so that nobody who changes what people have set can forget to say so. Times at which a budget was looked
#: at are none of it. A row that goes with its workspace finds no version to make: it only changes one.
NOTE = """
    CREATE FUNCTION conversations_note_spending_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            UPDATE conversations_spendingversion SET changed = changed + 1 WHERE workspace_id = OLD.workspace_id;
        ELSE
            INSERT INTO conversations_spendingversion AS v (workspace_id, counted, changed)
                VALUES (NEW.workspace_id, 0, 1)
                ON CONFLICT (workspace_id) DO UPDATE SET changed = v.changed + 1;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_spending_change AFTER INSERT OR DELETE OR UPDATE OF name, scope, agent_name, agent_version,
        conversation_name, metric, "limit", period, rolling_hours, time_zone, warn_percents, action, message
        ON conversations_budget FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
    CREATE TRIGGER note_spending_change AFTER INSERT OR UPDATE OR DELETE
        ON conversations_budgetoverride FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
    CREATE TRIGGER note_spending_change AFTER INSERT OR UPDATE OR DELETE
        ON conversations_modelprice FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
"""
NOTE_NO_MORE = """
    DROP TRIGGER note_spending_change ON conversations_budget;
    DROP TRIGGER note_spending_change ON conversations_budgetoverride;
    DROP TRIGGER note_spending_change ON conversations_modelprice;
    DROP FUNCTION conversations_note_spending_change();
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_store")]

    operations = [
        *LINKS,
        migrations.RunSQL(COMPRESS, UNCOMPRESS),
        migrations.RunSQL(KEEP_BYTES, UNKEEP_BYTES),
        migrations.RunSQL(NOTE, NOTE_NO_MORE),
    ]
