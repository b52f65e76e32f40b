"""The addresses of the REST API, below /api/v1/."""

from django.urls import path

from conversations.api import (
    auditing,
    batches,
    budget_stream,
    budgets,
    compactions,
    conversations,
    evaluation,
    events,
    exchanges,
    findings,
    incidents,
    messages,
    reviews,
    rule_preview,
    rules,
    savings,
    schema,
    timeline,
    tags,
    transcripts,
    ways_in,  # noqa: F401 -- registers itself with the OpenAPI generator
)

urlpatterns = [
    # ways in
    path("events", events.EventBatchView.as_view(), name="api_events"),
    path("exchanges", exchanges.ExchangeView.as_view(), name="api_exchanges"),
    path("transcripts", transcripts.TranscriptView.as_view(), name="api_transcripts"),
    path("batches", batches.BatchListView.as_view(), name="api_batches"),
    path("batches/<int:batch_id>", batches.BatchView.as_view(), name="api_batch"),
    path("batches/<int:batch_id>/redigest", batches.BatchRedigestView.as_view(), name="api_batch_redigest"),
    # ways out
    path("conversations", conversations.ConversationListView.as_view(), name="api_conversations"),
    path("conversations/<int:conversation_id>", conversations.ConversationView.as_view(), name="api_conversation"),
    path("conversations/<int:conversation_id>/messages", messages.MessageListView.as_view(), name="api_messages"),
    path("conversations/<int:conversation_id>/tags", tags.ConversationTagsView.as_view(), name="api_conversation_tags"),
    path("conversations/<int:conversation_id>/timeline", timeline.TimelineView.as_view(), name="api_timeline"),
    path(
        "conversations/<int:conversation_id>/compactions",
        compactions.CompactionsOfConversationView.as_view(),
        name="api_compactions_of_conversation",
    ),
    path("compactions", compactions.CompactionListView.as_view(), name="api_compactions"),
    path("compactions/<int:compaction_id>", compactions.CompactionView.as_view(), name="api_compaction"),
    path("compactions/<int:compaction_id>/dropped", compactions.DroppedView.as_view(), name="api_dropped"),
    path("compactions/<int:compaction_id>/kept", compactions.KeptView.as_view(), name="api_kept"),
    path("compactions/<int:compaction_id>/findings", findings.FindingListView.as_view(), name="api_findings"),
    path("conversations/<int:conversation_id>/life-lines", findings.LifeLineListView.as_view(), name="api_life_lines"),
    path("messages/<int:message_id>", messages.MessageView.as_view(), name="api_message"),
    path("conversations/<int:conversation_id>/savings", savings.ConversationSavingsView.as_view(), name="api_saved"),
    path("savings", savings.SavingsView.as_view(), name="api_savings"),
    path("budgets/status", budgets.budget_status_view, name="api_budget_status"),
    path("budgets/stream", budget_stream.BudgetStreamView.as_view(), name="api_budget_stream"),
    path("rules", rules.RuleListView.as_view(), name="api_rules"),
    path("rules/<int:rule_id>", rules.RuleView.as_view(), name="api_rule"),
    path("rules/preview", rule_preview.RulePreviewView.as_view(), name="api_rule_preview"),
    path("evaluation-set", evaluation.EvaluationSetView.as_view(), name="api_evaluation_set"),
    path("evaluation-set/card", evaluation.EvaluationCardView.as_view(), name="api_evaluation_card"),
    path("labels", evaluation.LabelView.as_view(), name="api_labels"),
    path("queues", reviews.QueueListView.as_view(), name="api_queues"),
    path("queues/<int:queue_id>", reviews.QueueView.as_view(), name="api_queue"),
    path("queues/<int:queue_id>/items", reviews.ItemListView.as_view(), name="api_queue_items"),
    path("reviews", reviews.ReviewListView.as_view(), name="api_reviews"),
    path("incidents", incidents.IncidentListView.as_view(), name="api_incidents"),
    path("incidents/<int:incident_id>", incidents.IncidentView.as_view(), name="api_incident"),
    path(
        "incidents/<int:incident_id>/acknowledge",
        incidents.IncidentAcknowledgeView.as_view(),
        name="api_acknowledge_incident",
    ),
    path("incidents/<int:incident_id>/resolve", incidents.IncidentResolveView.as_view(), name="api_resolve_incident"),
    path("agents", conversations.AgentListView.as_view(), name="api_agents"),
    # an answer without a row: what is sent to it is not kept
    path("audit", auditing.AuditView.as_view(), name="api_audit"),
    # what it looks like
    path("schema", schema.SchemaView.as_view(), name="api_schema"),
    path("docs/", schema.docs, name="api_docs"),
]
