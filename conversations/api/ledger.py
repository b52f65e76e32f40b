"""…/api/v1/ledger: rules and facts that must survive, read by whoever may read, written by keys that may review."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from msgspec import Meta
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import tasks
from conversations.api.authentication import KeyAuthentication, MayReview, sender
from conversations.api.bodies import read_body
from conversations.api.pagination import Keyset, Page
from conversations.api.parameters import Parameter, chosen, yes_or_no
from conversations.api.reading import ListView, MayReadOrMember, ReadView
from conversations.api.rules import WriteSchema, faults
from conversations.audit.anchors import kind_of, propose
from conversations.audit.ledger_editing import FIELDS, name_for, reinstate, retire, save_entry, wrong_with
from conversations.audit.ledger_queries import Counts, counts_of
from conversations.audit.model import FactKind
from conversations.errors import BadInput
from conversations.models import Compaction, LedgerCheck, LedgerEntry, Workspace
from conversations.review.desk import refuse_the_blind
from conversations.review.veiling import NO_VEIL, Veil
from conversations.vocabulary import LedgerOutcome

MOST_BYTES = 65_536
#: What an answer says of an entry besides. It may be sent back with it, and changes nothing.
READ_ONLY = (
    "id", "url", "compaction", "fact_id", "created_at", "changed_at", "retired_at", "counts", "last_loss_at",
    "last_loss", "past_total", "past_done", "past_finished_at",
)  # fmt: skip
_MEND = "See docs/ledger.md for the fields of an entry."


class EntrySpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An entry as it is sent. Name, kind and anchors that are left out are made of its words."""

    text: str
    name: str = ""
    kind: FactKind | None = None
    anchors: list[Annotated[str, Meta(max_length=200)]] | None = None
    agent_name: str = ""
    agent_version: str = ""


class CountsSerializer(serializers.Serializer[Any]):
    """At how many compactions it had each outcome. 1,001 stands for more than 1,000."""

    kept = serializers.IntegerField()
    altered = serializers.IntegerField()
    forgotten = serializers.IntegerField()
    unverifiable = serializers.IntegerField()
    not_in_context = serializers.IntegerField()


class LedgerEntrySerializer(serializers.ModelSerializer[LedgerEntry]):
    """A rule or fact that must survive."""

    url = serializers.CharField(source="get_absolute_url", read_only=True, help_text="Its page.")
    name = serializers.CharField(required=False, help_text="Its first words, if left out.")
    kind = serializers.ChoiceField(choices=list(FactKind), required=False, help_text="As its words say, if left out.")
    anchors = serializers.ListField(
        child=serializers.CharField(), required=False,
        help_text="Words of the text that must survive with it; as the auditor proposes, if left out.",
    )  # fmt: skip
    agent_name = serializers.CharField(required=False, help_text="Empty = every agent.")
    agent_version = serializers.CharField(required=False, help_text="Empty = every version.")
    compaction = serializers.IntegerField(
        source="compaction_id", allow_null=True, read_only=True, help_text="Where it was promoted; null = by hand."
    )
    fact_id = serializers.CharField(read_only=True, help_text="Of the finding there; empty = by hand.")
    retired_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="null = in force.")
    counts = CountsSerializer(read_only=True)
    last_loss_at = serializers.DateTimeField(source="counts.last_loss_at", read_only=True, allow_null=True)
    last_loss = serializers.IntegerField(
        source="counts.last_loss", read_only=True, allow_null=True, help_text="The compaction that lost it last."
    )
    past_total = serializers.IntegerField(read_only=True, help_text="Past compactions it is held against.")
    past_done = serializers.IntegerField(read_only=True)
    past_finished_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="null = at work.")

    class Meta:
        model = LedgerEntry
        fields = (
            "id", "url", "name", "text", "kind", "anchors", "agent_name", "agent_version", "compaction", "fact_id",
            "created_at", "changed_at", "retired_at", "counts", "last_loss_at", "last_loss", "past_total", "past_done",
            "past_finished_at",
        )  # fmt: skip


class LedgerCheckSerializer(serializers.ModelSerializer[LedgerCheck]):
    """What became of an entry at one compaction."""

    entry = serializers.IntegerField(source="entry_id", help_text="Its id.")
    name = serializers.CharField(source="entry.name", help_text="The entry's.")
    compaction = serializers.IntegerField(source="compaction_id")
    conversation = serializers.IntegerField(source="conversation_id")
    outcome = serializers.ChoiceField(choices=list(LedgerOutcome))
    detail = serializers.CharField(help_text="How it was kept or altered, as of findings.")
    passage = serializers.CharField(help_text="The nearest words of the context after; empty = none.")
    probability = serializers.FloatField(help_text="That the context after lets the agent know it.")
    version = serializers.CharField(help_text="Of the auditor.")

    class Meta:
        model = LedgerCheck
        fields = (
            "id", "entry", "name", "compaction", "conversation", "at", "outcome", "detail", "probability", "passage",
            "reason", "detector", "version", "checked_at",
        )  # fmt: skip


def entries_of(workspace: Workspace) -> QuerySet[LedgerEntry]:
    """With what an answer says of each, but the counts."""
    return LedgerEntry.objects.filter(workspace=workspace).select_related("workspace")


def with_counts(
    workspace: Workspace, rows: Sequence[LedgerEntry], veil: Veil = NO_VEIL
) -> Sequence[LedgerEntry]:  # fmt: skip
    """Each with `counts`. One query."""
    found = counts_of(workspace.pk, [row.pk for row in rows], veil)
    for row in rows:
        row.counts = found.get(row.pk, Counts())  # type: ignore[attr-defined] # for the serializer
    return rows


def read_entry(request: Request) -> EntrySpec:
    """The entry in a body. Raises BadInput, TooLarge."""
    body = read_body(request._request, most=MOST_BYTES)  # noqa: SLF001 -- DRF's own parser would not name the field
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The body is not JSON: {error}.", mend="Send one entry as a JSON object.") from None
    if isinstance(fields, dict):
        fields = {name: value for name, value in fields.items() if name not in READ_ONLY}
    try:
        return msgspec.convert(fields, EntrySpec, str_keys=True)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        raise BadInput(f"{words[:200]}.", mend=_MEND, at=place.strip("`").removeprefix("$.")) from None


def store(spec: EntrySpec, entry: LedgerEntry, request: Request) -> LedgerEntry:
    """The entry as the spec says; its past is checked if it has to be. Raises BadInput."""
    text = " ".join(spec.text.split())
    made = {
        "name": spec.name.strip() or name_for(entry.workspace, text),
        "text": text,
        "kind": spec.kind or kind_of(text),
        "anchors": propose(text) if spec.anchors is None else list(dict.fromkeys(spec.anchors)),
        "agent_name": spec.agent_name,
        "agent_version": spec.agent_version,
    }
    for name in FIELDS:
        setattr(entry, name, made[name])
    for field, message in wrong_with(entry):
        raise BadInput(message, mend=_MEND, at=field)
    try:
        with transaction.atomic():
            if save_entry(entry, sender(request)):
                tasks.check_later(entry)
    except IntegrityError as error:
        if "ledger_entry_name_once" not in str(error):
            raise
        raise BadInput("There is an entry of this name.", mend="Choose another.", at="name") from None
    return entry


class _WrittenByReviewers(ReadView):
    schema = WriteSchema()

    def get_permissions(self) -> Sequence[BasePermission]:
        """To read, whoever may read; to write, keys that may review."""
        return [MayReadOrMember() if self.request.method in SAFE_METHODS else MayReview()]

    def get_renderers(self) -> list[BaseRenderer]:
        """What was written is told as JSON, also below an address that lists."""
        return super().get_renderers() if self.request.method in SAFE_METHODS else [JSONRenderer()]

    def told(self, pk: int) -> dict[str, Any]:
        """An entry as it stands now. Raises Http404."""
        [row] = with_counts(self.workspace, [get_object_or_404(entries_of(self.workspace), pk=pk)], self.veil)
        answer: dict[str, Any] = self.serializer().to_representation(row)
        return answer


class LedgerListView(_WrittenByReviewers, ListView):
    """All entries of the ledger, in the order in which they were made."""

    serializer_class = LedgerEntrySerializer
    keyset = Keyset("id")
    file_name = "ledger"
    known = (
        Parameter(
            "active", "Whether it is in force.", keeps=lambda wanted: Q(retired_at__isnull=wanted), read=yes_or_no,
            type="boolean",
        ),
        Parameter("agent", "Name of the agent that it holds for.", keeps=lambda name: Q(agent_name=name)),
    )  # fmt: skip

    def rows(self, *_: Any, **ids: Any) -> QuerySet[LedgerEntry]:
        """All of the workspace's."""
        return entries_of(self.workspace)

    def page(self, rows: QuerySet[Any]) -> Page:
        """With the counts of the page."""
        page = super().page(rows)
        with_counts(self.workspace, page.rows, self.veil)
        return page

    def whole(self, rows: QuerySet[Any]) -> Any:
        """With their counts: there are some hundreds at most."""
        return with_counts(self.workspace, list(rows.order_by(*self.order().names())), self.veil)

    @extend_schema(
        operation_id="ledger_make",
        tags=["ledger"],
        summary="Put an entry into the ledger",
        description="What is left out is made of its words. The compactions that are there are checked in the"
        " background.",
        request=LedgerEntrySerializer,
        responses={"201": LedgerEntrySerializer, **faults()},
    )
    def post(self, request: Request) -> Response:
        """It is in force from now on."""
        entry = store(read_entry(request), LedgerEntry(workspace=self.workspace), request)
        return Response(self.told(entry.pk), status=201)


class LedgerEntryView(_WrittenByReviewers):
    """One entry of the ledger."""

    serializer_class = LedgerEntrySerializer

    def get(self, request: Request, entry_id: int) -> HttpResponseBase:
        """What it says, and how it fares."""
        return Response(self.told(entry_id))

    @extend_schema(
        operation_id="ledger_change",
        tags=["ledger"],
        summary="Change an entry of the ledger",
        description="The whole entry. Other words, anchors or agents have the past checked anew; a name does not.",
        request=LedgerEntrySerializer,
        responses={"200": LedgerEntrySerializer, **faults()},
    )
    def put(self, request: Request, entry_id: int) -> Response:
        """Twice is as once."""
        entry = get_object_or_404(entries_of(self.workspace), pk=entry_id)
        store(read_entry(request), entry, request)
        return Response(self.told(entry_id))


class _ForKeysOnly(_WrittenByReviewers):
    authentication_classes: Any = (KeyAuthentication,)


class LedgerRetireView(_ForKeysOnly):
    """Take an entry out of force; what became of it stays to be read."""

    serializer_class = LedgerEntrySerializer

    @extend_schema(
        operation_id="ledger_retire",
        tags=["ledger"],
        summary="Retire an entry of the ledger",
        description="No compaction is checked against it any more.",
        request=None,
        responses={"200": LedgerEntrySerializer, **faults("401", "403", "404", "429")},
    )
    def post(self, request: Request, entry_id: int) -> Response:
        """Twice is as once."""
        retire(get_object_or_404(entries_of(self.workspace), pk=entry_id), sender(request))
        return Response(self.told(entry_id))


class LedgerReinstateView(_ForKeysOnly):
    """Bring a retired entry back into force."""

    serializer_class = LedgerEntrySerializer

    @extend_schema(
        operation_id="ledger_reinstate",
        tags=["ledger"],
        summary="Reinstate a retired entry of the ledger",
        description="The compactions that are there are checked anew, those that came meanwhile among them.",
        request=None,
        responses={"200": LedgerEntrySerializer, **faults("401", "403", "404", "429")},
    )
    def post(self, request: Request, entry_id: int) -> Response:
        """Twice is as once."""
        entry = get_object_or_404(entries_of(self.workspace), pk=entry_id)
        if reinstate(entry, sender(request)):
            tasks.check_later(entry)
        return Response(self.told(entry_id))


# --- checks -----------------------------------------------------------------------------------------------------------

_OUTCOME = chosen("outcome", "What became of it.", LedgerOutcome, "outcome")


class EntryCheckListView(ListView):
    """What became of an entry at each compaction, the newest compaction first."""

    serializer_class = LedgerCheckSerializer
    keyset = Keyset("compaction_id", descending=True)
    file_name = "ledger-checks"
    known = (_OUTCOME,)

    def rows(self, *_: Any, entry_id: int = 0, **ids: Any) -> QuerySet[LedgerCheck]:
        """Of one entry."""
        entry = get_object_or_404(LedgerEntry, workspace=self.workspace, pk=entry_id)
        checks = LedgerCheck.objects.filter(workspace=self.workspace, entry=entry).select_related("entry")
        return checks.exclude(compaction__in=self.veil) if self.veil else checks


class CompactionCheckListView(ListView):
    """What became of the ledger's entries at one compaction, retired ones among them."""

    serializer_class = LedgerCheckSerializer
    keyset = Keyset("entry_id")
    file_name = "ledger-checks"
    known = (_OUTCOME,)

    def rows(self, *_: Any, compaction_id: int = 0, **ids: Any) -> QuerySet[LedgerCheck]:
        """Of one compaction; of a copy, those of its original. Raises Refused for those who judge it blindly."""
        compaction = get_object_or_404(Compaction, workspace=self.workspace, pk=compaction_id)
        refuse_the_blind(self.request.user, compaction)
        where = compaction.copy_of_id or compaction.pk
        return LedgerCheck.objects.filter(workspace=self.workspace, compaction=where).select_related("entry")
