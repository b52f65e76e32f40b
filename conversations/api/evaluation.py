"""GET /api/v1/evaluation-set and …/card, POST /api/v1/labels: judgements out, and labels made elsewhere in."""

from dataclasses import asdict
from typing import Any, ClassVar, cast

import msgspec
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication, MayReview, sender
from conversations.api.bodies import read_body
from conversations.api.export import JsonLines
from conversations.api.parameters import Parameter, moment, yes_or_no
from conversations.api.reading import ReadView
from conversations.api.schema import FAULTS
from conversations.errors import BadInput, TooLarge
from conversations.models import ApiKey, User, Workspace
from conversations.people.activity import record_activity
from conversations.redaction.settings import redactor_of
from conversations.review import parquet
from conversations.review.data_card import data_card
from conversations.review.evaluation_set import Wanted, evaluation_rows
from conversations.review.labels import MOST_LINES, Taken, take_labels
from conversations.review.veiling import Veil

_SINCE = Parameter("since", "Reviews handed in since then.", read=moment, type="date-time")
_TEXTS = Parameter("texts", "With the texts of the dropped messages.", read=yes_or_no, type="boolean")
_NAMES = Parameter("names", "People by their names, not as reviewer-1.", read=yes_or_no, type="boolean")
_REDACTED = Parameter(
    "redacted", "With placeholders for the secrets and personal data that the workspace's detectors find.",
    read=yes_or_no, type="boolean",
)  # fmt: skip
_ROWS_AS = Parameter("format", "One row a line, or one Parquet file.", choices=("jsonl", "parquet"))
_CARD_AS = Parameter("format", "Markdown is all there is.", choices=("md",))
_FAULTS = {code: OpenApiResponse(serializer, description) for code, (serializer, description) in FAULTS.items()}


class ParquetRenderer(JsonLines):
    """`?format=parquet`."""

    media_type = "application/vnd.apache.parquet"
    format = "parquet"


class MarkdownRenderer(JsonLines):
    """The card."""

    media_type = "text/markdown"
    format = "md"


class EvaluationRowSerializer(serializers.Serializer[Any]):
    """One judged compaction. docs/evaluation.md names what is in each list."""

    conversation = serializers.CharField(help_text="External id.")
    compaction = serializers.CharField(help_text="External id.")
    number = serializers.IntegerField(help_text="Within the conversation.")
    source = serializers.CharField()  # type: ignore[assignment] # a field's own name, which DRF's class has, too
    agent = serializers.CharField()
    agent_version = serializers.CharField()
    model = serializers.CharField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    instructions = serializers.CharField()
    summary_state = serializers.CharField()
    summary = serializers.CharField(allow_null=True, help_text="null = it cannot be read.")
    auditor_version = serializers.CharField()
    facts = serializers.ListField(child=serializers.DictField(), help_text="What the auditor says now.")
    labels = serializers.ListField(child=serializers.DictField(), help_text="People's answers on single findings.")
    missed = serializers.ListField(child=serializers.DictField(), help_text="Places of facts it did not list.")
    invented = serializers.ListField(child=serializers.DictField(), help_text="Places that nobody said.")
    reviews = serializers.ListField(child=serializers.DictField(), help_text="Overall verdicts, criteria, comments.")
    dropped = serializers.ListField(
        child=serializers.DictField(), allow_null=True, help_text="The dropped messages; null unless asked for."
    )


class LabelResultSerializer(serializers.Serializer[Taken]):
    """What became of one line."""

    index = serializers.IntegerField(help_text="Which line, from 0; empty lines do not count.")
    status = serializers.ChoiceField(choices=["accepted", "duplicate", "rejected"])
    review = serializers.IntegerField(required=False)
    code = serializers.CharField(required=False)
    field = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    mend = serializers.CharField(required=False)


class LabelResultsSerializer(serializers.Serializer[Any]):
    """One result a line."""

    results = LabelResultSerializer(many=True)


class EvaluationSetView(ReadView):
    """Everything people judged: one row a compaction, with its summary, facts, labels and marks."""

    renderer_classes = (JsonLines, ParquetRenderer)
    serializer_class = EvaluationRowSerializer
    known: ClassVar = (_SINCE, _TEXTS, _NAMES, _REDACTED, _ROWS_AS)

    def get(self, request: Request) -> HttpResponseBase:
        """JSON lines, or with `?format=parquet` one Parquet file. docs/evaluation.md names the columns."""
        kind: Any = request.accepted_renderer
        rows = evaluation_rows(self.workspace, wanted(self.workspace, self.values, self.veil))
        if kind.format == ParquetRenderer.format:
            if not parquet.is_installed():
                raise BadInput("This server cannot write Parquet.", mend="Install its extra: parquet.", at="format")
            body: Any = parquet.parquet(rows)
        else:
            body = (msgspec.json.encode(row) + b"\n" for row in rows)
        record_activity(workspace=self.workspace, actor=asking(request), action="judgements.exported")
        response = StreamingHttpResponse(body, content_type=kind.media_type)
        response["Content-Disposition"] = f'attachment; filename="evaluation-set.{kind.format}"'
        return response


class EvaluationCardView(ReadView):
    """The data card of the evaluation set."""

    renderer_classes = (MarkdownRenderer,)
    known: ClassVar = (_SINCE, _REDACTED, _CARD_AS)

    @extend_schema(responses={("200", "text/markdown"): OpenApiTypes.STR, **_FAULTS})
    def get(self, request: Request) -> HttpResponseBase:
        """As Markdown."""
        return HttpResponse(
            data_card(self.workspace, wanted(self.workspace, self.values, self.veil)),
            content_type="text/markdown; charset=utf-8",
        )


def asking(request: Request) -> ApiKey | User:
    """The key, or the person who is signed in; `MayReadOrMember` let nobody else in."""
    return cast("ApiKey | User", request.auth or request.user)


def wanted(workspace: Workspace, values: dict[str, Any], veil: Veil) -> Wanted:
    """What the parameters ask for, without what is behind the veil."""
    said = {name: values.get(name, False) for name in ("texts", "names")}
    redactor = redactor_of(workspace) if values.get("redacted") else None
    return Wanted(**said, redactor=redactor, since=values.get("since"), veil=veil)


class LabelView(APIView):
    """Labels made elsewhere, as NDJSON: one line a compaction and labeller."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayReview,)
    renderer_classes = (JSONRenderer,)

    @extend_schema(
        tags=["ingest"],
        summary="Labels made elsewhere, one line a compaction and labeller",
        request={"application/x-ndjson": OpenApiTypes.STR},
        responses={"207": OpenApiResponse(LabelResultsSerializer, "What became of each line."), **_FAULTS},
    )
    def post(self, request: Request) -> Response:
        """207 with a result for each line: accepted, duplicate (nothing has changed), or rejected with code, field and
        mend."""
        body = read_body(request._request, most=settings.MAX_BODY_BYTES)  # noqa: SLF001 -- DRF's own would parse it
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) > MOST_LINES:
            raise TooLarge(f"{len(lines):,} lines.", mend=f"Send at most {MOST_LINES:,} at once.")
        taken = list(take_labels(sender(request).workspace, lines))
        if any(each.status == "accepted" for each in taken):
            record_activity(workspace=sender(request).workspace, actor=sender(request), action="labels.imported")
        return Response({"results": [_result(each) for each in taken]}, status=207)


def _result(taken: Taken) -> dict[str, Any]:
    return {name: value for name, value in asdict(taken).items() if value not in {"", None}}
