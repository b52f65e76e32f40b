"""Every table that may hold words of a conversation loses them with it: a new table has to say how."""

from django.apps import apps
from django.db import connection

#: Tables that do not go with a conversation by Postgres's own cascade, and why that is right.
STAY = {
    "taken out by ingest.forgetting": {
        "batch", "batchchunk", "batchproblem", "knowncontexts", "contextpage", "notice", "incident", "budgetevent",
        "budgetoverride",
    },
    "settings, people, and what people said about their work": {
        "workspace", "membership", "invitation", "user", "apikey", "activity", "session", "secondfactor", "signinlink",
        "signinfailures", "queue", "rule", "rulechannel", "channel", "silence", "budget", "budgetchannel",
        "modelprice", "retentionrule", "deletion", "deletedconversation",
        "redactionsettings", "redactionpattern", "redactionrun", "ledgerentry", "signinprovider", "maildigest",
    },
    "figures, names of agents, and sentences made of both": {
        "agent", "agentday", "agentslot", "agenttotal", "spendingversion", "ruleprogress", "rulerun",
        "incidentevent", "delivery",
        "llmcall", "tagday", "tagslot", "rankingversion",
    },
}  # fmt: skip
_GONE = """
    WITH RECURSIVE gone AS (
        SELECT 'conversations_conversation'::regclass::oid AS id
        UNION SELECT conrelid FROM pg_constraint JOIN gone ON confrelid = gone.id
        WHERE contype = 'f' AND confdeltype = 'c'
    ) SELECT c.relname FROM pg_class c JOIN gone ON gone.id = c.oid
"""


def test_every_table_goes_with_its_conversation_or_says_why_not(db):
    with connection.cursor() as cursor:
        cursor.execute(_GONE)
        gone = {name for [name] in cursor.fetchall()}
    tables = {model._meta.db_table for model in apps.get_app_config("conversations").get_models()}
    stay = {f"conversations_{name}" for names in STAY.values() for name in names}

    assert "conversations_finding" in gone
    assert tables - gone - stay == set(), "tie it to its conversation ON DELETE CASCADE, or take it out in forgetting"
    assert stay & gone == set()
