"""What real exporters send to a real server, and what Claude Code sent when it was recorded."""

import json
import logging
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from conversations import tasks
from conversations.ingest import services
from conversations.models import Compaction, Conversation, Message, Request
from tests.factories import create_api_key
from tests.ingest import telling

RECORDED = Path(__file__).parents[1] / "data/otlp/claude_code-2.1.330.jsonl"


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch):
    monkeypatch.setattr(tasks.digest, "delay", lambda: None)


@pytest.fixture
def headers(acme):
    return {"Authorization": f"Bearer {create_api_key(acme, ['ingest'])[1]}"}


# --- a real server ----------------------------------------------------------------------------------------------------

TELLERS = [telling.told_by_the_client, telling.told_by_openinference, telling.told_by_openllmetry]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("teller", TELLERS)
def test_spans_arrive_from_the_real_exporter(live_server, acme, headers, teller):
    url = f"{live_server.url}/v1/traces"
    exporter = BatchSpanProcessor(OTLPSpanExporter(url, headers=headers, compression=Compression.Gzip))
    provider = telling.provider(exporter)
    with telling.standin(telling.Model()) as api, teller(provider) as options:
        telling.run(telling.client_of(api, **options), 3)
    provider.shutdown()
    services.digest_pending()

    [conversation] = Conversation.objects.filter(workspace=acme)
    said = Message.objects.filter(conversation=conversation, role="user").order_by("position")
    assert [message.blocks[0]["text"] for message in said] == [telling.RULE, "And 1?"]
    assert Request.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_log_events_arrive_from_the_real_exporter(live_server, acme, headers):
    provider = LoggerProvider()
    exporter = OTLPLogExporter(f"{live_server.url}/v1/logs", headers=headers)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    provider.get_logger("agent").emit(
        event_name="gen_ai.client.inference.operation.details",
        attributes={
            "gen_ai.conversation.id": "c1",
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": telling.RULE}]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Done."}]}],
            "gen_ai.usage.input_tokens": 120,
        },
    )
    provider.shutdown()
    services.digest_pending()

    said = Message.objects.filter(conversation__external_id="c1").order_by("position")
    assert [message.blocks[0]["text"] for message in said] == [telling.RULE, "Done."]
    assert Request.objects.get().input_tokens == 120


@pytest.mark.django_db(transaction=True)
def test_metrics_exporter_is_told_that_metrics_are_not_kept(live_server, acme, headers, caplog):
    exporter = OTLPMetricExporter(f"{live_server.url}/v1/metrics", headers=headers)
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))])
    provider.get_meter("agent").create_counter("requests").add(1)

    with caplog.at_level(logging.WARNING):
        assert provider.force_flush()
    provider.shutdown()

    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# --- as recorded ------------------------------------------------------------------------------------------------------


def send(client, headers, lines):
    for line in lines:
        sent = json.loads(line)
        response = client.post(
            f"{sent['path']}?wait=1", json.dumps(sent["body"]), content_type="application/json", headers=headers
        )
        assert response.status_code == 200
        yield sent["path"], response.json()


ORDERS = {"as recorded": lambda lines: lines, "backwards": lambda lines: lines[::-1], "twice": lambda lines: lines * 2}


@pytest.mark.django_db
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_claude_code_tells_its_timeline_and_both_compactions(client, headers, order):
    answers = list(send(client, headers, order(RECORDED.read_text().splitlines())))

    assert all(answer == {} for path, answer in answers if path != "/v1/metrics")
    conversation = Conversation.objects.get()
    assert (conversation.source, conversation.agent.name, conversation.agent.version) == (
        "otlp",
        "claude-code",
        "2.1.330",
    )
    assert not conversation.complete
    assert not Message.objects.exists()
    requests = Request.objects.order_by("position").values_list("external_id", "purpose", "context_tokens")
    assert list(requests) == [
        ("req_mock_2", "turn", 13_003),
        ("req_mock_12", "turn", 13_003),
        ("req_mock_20", "compaction", 6_003),
        ("req_mock_28", "turn", 986_003),
        ("req_mock_36", "compaction", 6_003),
        ("req_mock_40", "turn", 986_003),
    ]
    compactions = Compaction.objects.order_by("position").values_list(
        "kind",
        "trigger",
        "summary_state",
        "tokens_before_reported",
        "tokens_after_reported",
        "duration_ms",
        "cost_cache_read_tokens",
    )
    assert list(compactions) == [
        ("client", "manual", "absent", 2_539, 2_638, 169, 5_000),
        ("client", "auto", "absent", 986_050, 2_643, 402, 5_000),
    ]


@pytest.mark.django_db
def test_people_see_that_the_summary_is_unknown(client, headers, alice):
    list(send(client, headers, RECORDED.read_text().splitlines()))
    conversation, compaction = Conversation.objects.get(), Compaction.objects.latest("position")

    page = alice.get(f"/w/acme/conversations/{conversation.pk}/").content.decode()
    beside = alice.get(f"/w/acme/compactions/{compaction.pk}/").content.decode()

    assert "OpenTelemetry told of the model calls, and not of all messages." in page
    assert "986,050" in beside
    assert "There is no summary in the data" in beside
