"""…/api/v1/rules: alert rules, read by whoever may read, made, changed and deleted by keys that may manage."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.alerts.metrics import METRICS
from conversations.alerts.services import FIELDS, delete_rule, save_rule
from conversations.alerts.spec import RuleSpec, apply_spec, read_spec
from conversations.api.authentication import MayManage, sender
from conversations.api.bodies import read_body
from conversations.api.pagination import Keyset
from conversations.api.parameters import Parameter, yes_or_no
from conversations.api.reading import ListView, MayReadOrMember, ReadView
from conversations.api.schema import FAULTS, ReadSchema
from conversations.errors import BadInput
from conversations.models import Channel, Rule, RuleProgress, Workspace
from conversations.vocabulary import Aggregation, Direction, GroupBy, NoData

#: Of a body: a note of 4,000 characters, and far more channels than a team has.
MOST_BYTES = 262_144
#: What an answer says of a rule besides its spec. It may be sent back with it, and changes nothing.
READ_ONLY = ("id", "url", "created_at", "changed_at", "evaluated_at", "problem")


def _one_of(values: Sequence[str], about: str) -> str:
    return f"{about} One of {', '.join(values)}."


class _EmptyIsNull(serializers.CharField):
    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) or None


class RuleSerializer(serializers.ModelSerializer[Rule]):
    """A rule as files write it, too; docs/alerts.md says what its fields mean. What is left out is as it usually is."""

    url = serializers.CharField(source="get_absolute_url", read_only=True, help_text="Its page.")
    metric = serializers.CharField(help_text=_one_of(tuple(METRICS), "What it looks at."))
    aggregation = serializers.CharField(required=False, help_text=_one_of(tuple(Aggregation), "Which figure of it."))
    direction = serializers.CharField(required=False, help_text=_one_of(tuple(Direction), "Which side fires."))
    no_data = serializers.CharField(required=False, help_text=_one_of(tuple(NoData), "What silence means."))
    group_by = _EmptyIsNull(
        required=False, allow_null=True, help_text=_one_of(tuple(GroupBy), "null = everything together.")
    )
    channels = serializers.SlugRelatedField(
        slug_field="name", many=True, required=False, queryset=Channel.objects.none(), help_text="Their names."
    )
    evaluated_at = serializers.DateTimeField(
        source="progress.evaluated_at", default=None, read_only=True, allow_null=True, help_text="null = not yet."
    )
    problem = serializers.SerializerMethodField(help_text="Why it cannot be evaluated; empty = it can.")

    class Meta:
        model = Rule
        fields = ("id", "url", *FIELDS, "channels", "created_at", "changed_at", "evaluated_at", "problem")

    def get_problem(self, row: Rule) -> str:
        """Of the last evaluation; a new rule has none yet."""
        progress: RuleProgress | None = getattr(row, "progress", None)
        return progress.problem if progress else ""


def rules_of(workspace: Workspace) -> QuerySet[Rule]:
    """With what an answer says of each: two queries for any number."""
    rows = Rule.objects.filter(workspace=workspace).select_related("workspace", "progress")
    return rows.prefetch_related(Prefetch("channels", Channel.objects.order_by("name")))


def read_rule(request: Request, **instead: Any) -> RuleSpec:
    """The rule in a body, `instead` in place of what it says. Raises BadInput, TooLarge."""
    body = read_body(request._request, most=MOST_BYTES)  # noqa: SLF001 -- DRF's own parser would not name the field
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The body is not JSON: {error}.", mend="Send one rule as a JSON object.") from None
    if isinstance(fields, dict):
        fields = {name: value for name, value in fields.items() if name not in READ_ONLY} | instead
    return read_spec(fields)


def store(spec: RuleSpec, rule: Rule, request: Request) -> Rule:
    """The rule as the spec says. Raises BadInput."""
    try:
        with transaction.atomic():
            return save_rule(*apply_spec(spec, rule), sender(request))
    except IntegrityError as error:
        if "rule_name_once" not in str(error):
            raise
        # Somebody else took the name after it was looked for.
        raise BadInput("There is a rule of this name.", mend="Choose another.", at="name") from None


def faults(*codes: str) -> dict[str, OpenApiResponse]:
    """What may go wrong, as the OpenAPI document says it."""
    return {code: OpenApiResponse(FAULTS[code][0], FAULTS[code][1]) for code in codes or FAULTS}


class WriteSchema(ReadSchema):
    """Parameters are those of reading; what changes something takes none."""

    def get_override_parameters(self) -> list[Any]:
        """By method."""
        return super().get_override_parameters() if self.method == "GET" else []


class _ChangedByManagers(ReadView):
    schema = WriteSchema()

    def get_permissions(self) -> Sequence[BasePermission]:
        """To read, whoever may read; to change, keys that may manage."""
        return [MayReadOrMember() if self.request.method in SAFE_METHODS else MayManage()]

    def get_renderers(self) -> list[BaseRenderer]:
        """What was changed is told as JSON, also below an address that lists."""
        return super().get_renderers() if self.request.method in SAFE_METHODS else [JSONRenderer()]

    def told(self, pk: int) -> dict[str, Any]:
        """A rule as it stands now. Raises Http404."""
        row = get_object_or_404(rules_of(self.workspace), pk=pk)
        answer: dict[str, Any] = self.serializer().to_representation(row)
        return answer


class RuleListView(_ChangedByManagers, ListView):
    """All alert rules, in the order in which they were made."""

    serializer_class = RuleSerializer
    keyset = Keyset("id")
    file_name = "rules"
    known = (
        Parameter(
            "enabled", "Whether it is evaluated.", keeps=lambda wanted: Q(enabled=wanted), read=yes_or_no,
            type="boolean",
        ),
        Parameter("metric", "What it looks at.", keeps=lambda key: Q(metric=key), choices=tuple(METRICS)),
    )  # fmt: skip

    def rows(self, *_: Any, **ids: Any) -> QuerySet[Rule]:
        """All of the workspace's."""
        return rules_of(self.workspace)

    @extend_schema(
        operation_id="rule_make",
        tags=["alerts"],
        summary="Make an alert rule",
        description="Checked as files are. What `GET` answers of a rule may be sent; another name makes a copy.",
        request=RuleSerializer,
        responses={"201": RuleSerializer, **faults()},
    )
    def post(self, request: Request) -> Response:
        """It is evaluated from now on, unless it says `"enabled": false`."""
        rule = store(read_rule(request), Rule(workspace=self.workspace), request)
        return Response(self.told(rule.pk), status=201)


class RuleView(_ChangedByManagers):
    """One alert rule."""

    serializer_class = RuleSerializer

    def get(self, request: Request, rule_id: int) -> HttpResponseBase:
        """What it says, and when it was evaluated."""
        return Response(self.told(rule_id))

    @extend_schema(
        operation_id="rule_change",
        tags=["alerts"],
        summary="Change an alert rule",
        description='The whole rule: what is left out is as it usually is. `"enabled": false` resolves its incidents.',
        request=RuleSerializer,
        responses={"200": RuleSerializer, **faults()},
    )
    def put(self, request: Request, rule_id: int) -> Response:
        """Twice is as once."""
        with transaction.atomic():
            row = self._held(rule_id)
            store(read_rule(request), row, request)
        return Response(self.told(rule_id))

    @extend_schema(
        operation_id="rule_delete",
        tags=["alerts"],
        summary="Delete an alert rule",
        description="Its incidents are deleted with it.",
        request=None,
        responses={"204": OpenApiResponse(description="It is gone."), **faults("401", "403", "404", "429")},
    )
    def delete(self, request: Request, rule_id: int) -> Response:
        """Nobody is told by it any more."""
        with transaction.atomic():
            delete_rule(self._held(rule_id), sender(request))
        return Response(status=204)

    def _held(self, rule_id: int) -> Rule:
        """For us alone: changing what somebody deletes at the same moment would make it anew."""
        return get_object_or_404(Rule.objects.select_for_update(), workspace=self.workspace, pk=rule_id)
