from conversations.models import Notice
from conversations.people.notices import notify


def test_each_person_is_told_the_same_thing_once(alice, bob, acme):
    for _ in range(2):
        notify(
            workspace=acme,
            users=[alice.user, bob.user],
            kind="mention",
            text="Alice named you.",
            url="/w/acme/",
            key="1",
        )

    assert sorted(Notice.objects.values_list("user__name", "text")) == [
        ("Alice", "Alice named you."),
        ("Bob", "Alice named you."),
    ]


def test_another_thing_is_told_too(alice, acme):
    for key in ("1", "2"):
        notify(workspace=acme, users=[alice.user], kind="mention", text="Bob named you.", url="/w/acme/", key=key)

    assert Notice.objects.count() == 2
