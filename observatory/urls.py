"""Where every URL leads."""

from django.urls import include, path

from conversations.api import otlp
from conversations.web import recorder
from observatory import endpoints

urlpatterns = [
    path("health/live", endpoints.live, name="health_live"),
    path("health/ready", endpoints.ready, name="health_ready"),
    path("metrics", endpoints.metrics, name="metrics"),
    path("recorder/", recorder.wheels, name="recorder_wheels"),
    path("recorder/<str:name>", recorder.wheel, name="recorder_wheel"),
    path("api/v1/", include("conversations.api.urls")),
    # OpenTelemetry's exporters append these to the server's address.
    path("v1/traces", otlp.TracesView.as_view(), name="otlp_traces"),
    path("v1/logs", otlp.LogsView.as_view(), name="otlp_logs"),
    path("v1/metrics", otlp.MetricsView.as_view(), name="otlp_metrics"),
    path("", include("conversations.web.urls")),
]

handler400 = "conversations.web.errors.bad_request"
handler403 = "conversations.web.errors.permission_denied"
handler404 = "observatory.errors.not_found"
handler500 = "observatory.errors.server_error"
