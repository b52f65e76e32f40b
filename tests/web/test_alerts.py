from tests.alerts.telling import create_incident

LIST = "/w/acme/alerts/"


def test_open_incidents_are_listed(alice, acme):
    create_incident(acme, group="coder")

    page = alice.get(LIST).content.decode()

    assert "7 facts were forgotten." in page
    assert ": coder" in page
