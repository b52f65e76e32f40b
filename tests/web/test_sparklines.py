from html.parser import HTMLParser

from conversations.ingest.sparkline import Turn, empty, extend
from conversations.web.sparklines import HEIGHT, WIDTH, sparkline_svg


class Svg(HTMLParser):
    """The line's points and the number of strokes."""

    def __init__(self, text):
        super().__init__()
        self.points, self.strokes = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.strokes += tag == "line"
        if tag == "polyline":
            self.points = [tuple(map(float, point.split(","))) for point in dict(attributes)["points"].split()]


def drawn(line):
    svg = Svg(sparkline_svg(line, label="12 requests"))
    return svg.strokes, svg.points


def test_sparkline_of_nothing_is_empty():
    assert sparkline_svg({}, label="") == ""
    assert sparkline_svg(empty(), label="") == ""


def test_sparkline_draws_what_ingestion_stores():
    turns = [Turn(n, 1000 * (n % 50)) for n in range(300)] + [Turn(50, None), Turn(100, None)]

    strokes, points = drawn(extend(empty(), turns))

    assert strokes == 2
    assert (points[0][0], points[-1][0]) == (0, WIDTH)
    assert all(0 <= y <= HEIGHT for _, y in points)


def test_sparkline_of_one_request_is_a_line():
    _, points = drawn({"stride": 1, "count": 1, "points": [[5, 5]], "marks": []})

    assert [x for x, _ in points] == [0, WIDTH]


def test_sparkline_falls_where_the_cut_lies_within_a_point():
    _, points = drawn({"stride": 2, "count": 6, "points": [[80, 90], [20, 95], [25, 30]], "marks": [1]})

    heights = [y for x, y in points if x == WIDTH / 2]

    assert heights[0] < heights[1]  # from the top down: y grows downwards


def test_sparkline_without_tokens_does_not_divide_by_zero():
    _, points = drawn({"stride": 1, "count": 2, "points": [[0, 0], [0, 0]], "marks": []})

    assert len({y for _, y in points}) == 1
