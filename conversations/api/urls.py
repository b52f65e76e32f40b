"""The addresses of the REST API, below /api/v1/."""

from django.urls import path

from conversations.api import batches, events, transcripts

urlpatterns = [
    # ways in
    path("events", events.EventBatchView.as_view(), name="api_events"),
    path("transcripts", transcripts.TranscriptView.as_view(), name="api_transcripts"),
    path("batches", batches.BatchListView.as_view(), name="api_batches"),
    path("batches/<int:batch_id>", batches.BatchView.as_view(), name="api_batch"),
    path("batches/<int:batch_id>/redigest", batches.BatchRedigestView.as_view(), name="api_batch_redigest"),
    # ways out
]
