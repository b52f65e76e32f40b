"""POST /v1/traces, /v1/logs and /v1/metrics: OpenTelemetry's own protocol, where exporters look for it."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication, MayIngest, sender
from conversations.api.bodies import read_body
from conversations.api.events import hand_on, wants_to_wait
from conversations.ingest import services
from conversations.ingest.formats.otlp_wire import Signal, count_points, status, success

JSON, PROTOBUF = "application/json", "application/x-protobuf"
_PROTOBUFS = frozenset({PROTOBUF, "application/protobuf", "application/vnd.google.protobuf"})
#: google.rpc.Code for our statuses; what is not here is ours to mend.
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 415: 3, 422: 3, 429: 8, 503: 14}
_INTERNAL = 13
_UNPROCESSABLE, _BAD = 422, 400  # the protocol has but one status for what cannot be read
_METRICS = "Metrics are not kept here: traces and logs tell of conversations. Set OTEL_METRICS_EXPORTER=none."


class OtlpView(APIView):
    """One signal; protobuf or JSON, plain, gzip or zstd. It answers in the encoding it was sent."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngest,)
    schema = None  # the protocol is described by OpenTelemetry; our document only says where it is spoken
    signal: Signal

    def post(self, request: Request) -> HttpResponse:
        """Take what is about conversations; with `?wait=1` digest it before answering."""
        is_json = _is_json(request, strict=True)
        body = read_body(request._request, most=settings.MAX_BODY_BYTES)  # noqa: SLF001 -- DRF's own would parse it
        rejected, message = self.take(request, body, is_json=is_json)
        content = success(self.signal, rejected=rejected, message=message, is_json=is_json)
        return _answer(content, 200, is_json=is_json)

    def take(self, request: Request, body: bytes, *, is_json: bool) -> tuple[int, str]:
        """How much was rejected, and why."""
        wait, key = wants_to_wait(request), sender(request)
        taken = services.accept_telemetry(
            workspace=key.workspace, api_key=key, body=body, signal=self.signal, is_json=is_json, claimed=wait
        )
        for receipt in taken.receipts:
            hand_on(receipt, wait=wait)
        return taken.rejected, taken.message

    def handle_exception(self, exc: Exception) -> Response:
        """The error as google.rpc.Status in the encoding of the request."""
        answer = super().handle_exception(exc)
        error = answer.data["error"]
        is_json = _is_json(self.request, strict=False)
        content = status(_CODES.get(answer.status_code, _INTERNAL), _sentence(error), is_json=is_json)
        code = _BAD if answer.status_code == _UNPROCESSABLE else answer.status_code
        told = _answer(content, code, is_json=is_json)
        for name in ("Retry-After", "WWW-Authenticate", "Allow"):
            if name in answer.headers:
                told.headers[name] = answer.headers[name]
        return told  # type: ignore[return-value] # DRF takes any answer of Django's

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 -- DRF's
        """Exporters accept what they send, whatever they say of it."""
        return JSONRenderer(), JSON


class TracesView(OtlpView):
    """Spans: model calls and compactions among them."""

    signal = Signal.TRACES


class LogsView(OtlpView):
    """Log records: events of model calls and of coding agents among them."""

    signal = Signal.LOGS


class MetricsView(OtlpView):
    """Metrics are read by nobody here; the answer says so."""

    signal = Signal.METRICS

    def take(self, request: Request, body: bytes, *, is_json: bool) -> tuple[int, str]:
        """All of them are rejected."""
        points = count_points(body, is_json=is_json)
        return points, _METRICS if points else ""


def _is_json(request: Request, *, strict: bool) -> bool:
    """By Content-Type. Raises UnsupportedMediaType, unless an error is to be told already."""
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if strict and kind != JSON and kind not in _PROTOBUFS:
        raise UnsupportedMediaType(kind or "nothing")
    return kind == JSON


def _answer(content: bytes, code: int, *, is_json: bool) -> HttpResponse:
    return HttpResponse(content, status=code, content_type=JSON if is_json else PROTOBUF)


def _sentence(error: dict[str, str]) -> str:
    return " ".join(filter(None, (error["message"], error["mend"])))
