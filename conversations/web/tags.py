"""The page on which people put tags on a conversation and take them off."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from conversations.models import Conversation
from conversations.people.activity import record_activity
from conversations.spending.tagging import known_tags, set_tags
from conversations.tags import MOST_TAGS, TAG_CHARACTERS, tag_of, tags_in
from conversations.vocabulary import MemberRole
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required


class TagsForm(forms.Form):
    """One line, as people write lists."""

    tags = forms.CharField(
        label="Tags",
        required=False,
        max_length=MOST_TAGS * (TAG_CHARACTERS + 2),
        help_text="With commas between, as in web, nightly. Left empty: none.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_tags(self) -> list[str]:
        """As they are stored."""
        parts = [part for part in self.cleaned_data["tags"].split(",") if part.strip()]
        if wrong := [part.strip() for part in parts if not tag_of(part)]:
            raise ValidationError(f"“{wrong[0][:80]}” is no tag: at most {TAG_CHARACTERS} characters, on one line.")
        if len(tags := tags_in(self.cleaned_data["tags"])) > MOST_TAGS:
            raise ValidationError(f"These are {len(tags)} tags; a conversation has at most {MOST_TAGS}.")
        return tags


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def conversation_tags(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The tags it has, to change."""
    rows = Conversation.objects.select_related("workspace").defer("search", "sparkline")
    row = get_object_or_404(rows, workspace=request.workspace, pk=pk)
    form = TagsForm(request.POST if request.method == "POST" else None, initial={"tags": ", ".join(row.tags)})
    if form.is_valid():
        _save(request, row, form.cleaned_data["tags"])
        return redirect("conversation", request.workspace.slug, row.pk)
    context: dict[str, Any] = {"conversation": row, "form": form, "known": known_tags(request.workspace)}
    return render_page(request, "conversations/tags_edit.html", context, status=422 if form.errors else 200)


def _save(request: WorkspaceRequest, row: Conversation, tags: list[str]) -> None:
    added, removed = set_tags(row, tags)
    if added or removed:
        detail = {"added": added, "removed": removed}
        record_activity(
            workspace=request.workspace, actor=request.user, action="conversation.tagged", target=row, detail=detail
        )
        messages.success(request, "The tags are as you wrote them, and so are the sums of their budgets.")
