"""What placeholders stand for, where redaction is at display: kept encrypted, given back to whom may see it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from conversations.models import HiddenSecret, Workspace
from conversations.people.sealing import seal, unseal

_AT_ONCE = 1000  # rows


def keep(workspace_id: int, conversation_id: int | None, secrets: Mapping[str, str]) -> None:
    """Secrets by placeholder, of one conversation or of none; those that are kept already stay as they are."""
    if not secrets:
        return
    ours = HiddenSecret.objects.filter(workspace=workspace_id, conversation=conversation_id)
    known = set(ours.filter(placeholder__in=secrets).values_list("placeholder", flat=True))
    rows = [
        HiddenSecret(
            workspace_id=workspace_id, conversation_id=conversation_id, placeholder=placeholder, sealed=seal(secret)
        )
        for placeholder, secret in secrets.items()
        if placeholder not in known
    ]  # fmt: skip
    HiddenSecret.objects.bulk_create(rows, batch_size=_AT_ONCE, ignore_conflicts=True)


def secrets_of(workspace: Workspace, placeholders: Iterable[str]) -> dict[str, str]:
    """What they stand for, as far as it is known: one query. Raises Unavailable as `unseal`."""
    rows = HiddenSecret.objects.filter(workspace=workspace, placeholder__in=set(placeholders))
    return {placeholder: unseal(sealed) for placeholder, sealed in rows.values_list("placeholder", "sealed")}


def remembering(workspace: Workspace) -> Callable[[Iterable[str]], Mapping[str, str]]:
    """`secrets_of` for a job that asks again and again: what was asked once is known."""
    asked: dict[str, str | None] = {}

    def known(placeholders: Iterable[str]) -> Mapping[str, str]:
        wanted = set(placeholders)
        if new := wanted - asked.keys():
            asked.update(dict.fromkeys(new))
            asked.update(secrets_of(workspace, new))
        return {each: secret for each in wanted if (secret := asked[each]) is not None}

    return known


def placeholders_for(workspace_id: int, ids: Sequence[int], needles: Sequence[str]) -> set[str]:
    """What stands in these conversations for a secret in which one of the needles stands, in whatever case."""
    wanted = [needle.casefold() for needle in needles]
    rows = HiddenSecret.objects.filter(workspace=workspace_id, conversation__in=ids)
    return {
        placeholder
        for placeholder, sealed in rows.values_list("placeholder", "sealed").iterator(chunk_size=_AT_ONCE)
        if any(needle in unseal(sealed).casefold() for needle in wanted)
    }
