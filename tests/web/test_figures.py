import json
from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go
import pytest

from conversations.web.figures import token_timeline
from conversations.web.timeline import Cut, Point

AT = datetime(2026, 11, 20, tzinfo=UTC)
POINTS = [Point(10 * n, 1000 * n, AT + timedelta(minutes=n), 700 * n, 100 * n) for n in range(1, 6)]
CUTS = [
    Cut(1, 25, AT, 2100, 1500, "/w/acme/compactions/1/", "Compaction 1: 2,100 → 1,500 tokens"),
    Cut(2, 45, AT, None, None, "/w/acme/compactions/2/", "Compaction 2", clearing=True),
]


def valid(figure):
    """As Plotly's own validator sees it; raises ValueError for an unknown property or value."""
    json.dumps(figure)
    return go.Figure({"data": figure["data"], "layout": figure["layout"]})


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("points", [POINTS, POINTS[:1], []])
def test_token_timeline_is_a_valid_figure(points, by_time, cache):
    figure = token_timeline(points, CUTS, by_time=by_time, cache=cache, limits=[("context window", 6000)])

    assert len(valid(figure).data) == (4 if cache else 2)


def test_token_timeline_numbers_requests_from_one():
    line, marks = token_timeline(POINTS, CUTS)["data"]

    assert (line["x"], line["y"]) == ([1, 2, 3, 4, 5], [1000, 2000, 3000, 4000, 5000])
    assert marks["x"] == [2.5, 4.5]


def test_token_timeline_puts_marks_on_top_of_the_tooth_and_links_them():
    marks = token_timeline(POINTS, CUTS)["data"][-1]

    assert marks["y"] == [2100, 4000]  # as known, else the request before
    assert marks["customdata"] == ["/w/acme/compactions/1/", "/w/acme/compactions/2/"]
    assert marks["marker"]["symbol"] == ["triangle-down", "triangle-down-open"]


def test_token_timeline_over_time_is_a_step():
    line = token_timeline(POINTS, CUTS, by_time=True)["data"][0]

    assert (line["x"][0], line["line"]["shape"]) == ("2026-11-20T00:01:00+00:00", "hv")


def test_token_timeline_splits_the_context_by_cache():
    lines = token_timeline(POINTS[:1], [], cache=True)["data"]

    assert [line["y"] for line in lines] == [[700], [100], [200]]


def test_token_timeline_draws_a_limit_only_where_it_is_in_sight():
    figure = token_timeline(POINTS, [], limits=[("trigger", 5000), ("context window", 200_000)])

    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [5000]
    assert figure["layout"]["annotations"][0]["text"] == "trigger 5,000"


def test_token_timeline_draws_a_range_in_full():
    points = [Point(n, n % 100) for n in range(20_000)]

    whole, part = token_timeline(points, []), token_timeline(points, [], within=(1000.0, 2000.0))

    assert whole["meta"]["drawn"] <= 2500
    assert part["data"][0]["x"] == list(range(999, 2003))


@pytest.mark.parametrize("within", [(-1e9, 1e9), (2000.0, 1000.0), (0.0, 0.0)])
def test_token_timeline_bears_any_range(within):
    figure = token_timeline(POINTS, CUTS, within=within)

    assert len(valid(figure).data) == len(figure["data"]) > 0


def test_token_timeline_without_requests_draws_no_line():
    assert token_timeline([], [])["data"][0]["x"] == []
