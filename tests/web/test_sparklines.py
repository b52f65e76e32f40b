from html.parser import HTMLParser

from conversations.ingest.sparkline import Turn, empty, extend
from conversations.web.sparklines import HEIGHT, sparkline_svg, top_of


class Svg(HTMLParser):
    """The line's points within the drawing, its width, and the number of strokes."""

    def __init__(self, text):
        super().__init__()
        self.points, self.strokes, self.width = [], 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.strokes += tag == "line"
        if tag == "svg":
            self.width = float(attributes["viewbox"].split()[2])
        if tag == "polyline":
            points = [tuple(map(float, point.split(","))) for point in attributes["points"].split()]
            self.points = [point for point in points if 0 <= point[0] <= self.width]
            self.beyond = [point for point in points if point not in self.points]


def drawn(line):
    return Svg(sparkline_svg(line, label="12 requests"))


def test_sparkline_of_nothing_is_empty():
    assert sparkline_svg({}, label="") == ""
    assert sparkline_svg(empty(), label="") == ""


def test_sparkline_draws_what_ingestion_stores():
    turns = [Turn(n, 1000 * (n % 50)) for n in range(300)] + [Turn(50, None), Turn(100, None)]

    svg = drawn(extend(empty(), turns))

    assert svg.strokes == 2
    assert (svg.points[0][0], svg.points[-1][0]) == (0, svg.width)
    assert all(0 <= y <= HEIGHT for _, y in svg.points)


def test_sparkline_closes_its_area_where_nobody_sees_it():
    svg = drawn({"stride": 1, "count": 3, "points": [[5, 5], [9, 9], [7, 7]], "marks": []})

    left, first, last, right = svg.beyond

    assert first[1] == svg.points[0][1]
    assert last[1] == svg.points[-1][1]
    assert min(left[1], right[1]) > HEIGHT


def test_sparkline_of_one_request_is_a_line():
    svg = drawn({"stride": 1, "count": 1, "points": [[5, 5]], "marks": []})

    assert [x for x, _ in svg.points] == [0, svg.width]


def test_sparkline_falls_where_the_cut_lies_within_a_point():
    svg = drawn({"stride": 2, "count": 6, "points": [[80, 90], [20, 95], [25, 30]], "marks": [1]})

    heights = [y for x, y in svg.points if x == svg.width / 2]

    assert heights[0] < heights[1]  # from the top down: y grows downwards


def test_sparkline_without_tokens_does_not_divide_by_zero():
    svg = drawn({"stride": 1, "count": 2, "points": [[0, 0], [0, 0]], "marks": []})

    assert len({y for _, y in svg.points}) == 1


def test_sparkline_has_a_second_line_above():
    line = {"stride": 1, "count": 3, "points": [[50, 50], [10, 20], [30, 30]], "marks": [1]}

    alone, both = drawn(line), Svg(sparkline_svg(line, label="", above=[0, 40, 40]))

    assert top_of(line) == 50
    assert top_of(line, [0, 40, 40]) == 70
    assert min(y for _, y in alone.points) == min(y for _, y in both.points)  # the highest stands as high as before
    assert [x for x, _ in both.points] == [0, 1, 2]  # the second line's, which comes last
    assert [y for _, y in both.points] == [260 - int(tokens * 240 / 70) for tokens in (50, 60, 70)]
