def test_charlie_is_no_member_of_acme(alice, charlie):
    assert not alice.workspace.members.filter(pk=charlie.user.pk).exists()
