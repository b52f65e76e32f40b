"""Shares and measures of agreement as people read them."""

from django import template

from conversations.agreement import Measure
from conversations.review.digest import Trend
from conversations.review.precision import Found, Precision

register = template.Library()

_UNKNOWN = "–"


@register.filter
def percent(share: float | None) -> str:
    """0.714 → "71 %"; not defined → "–"."""
    return _UNKNOWN if share is None else f"{share:.0%}".replace("%", " %")


@register.filter
def change(trend: Trend) -> str:
    """By how much it went up: "+3", "−12"; of shares in points: "+4 points"."""
    by = trend.change or 0
    words = f"{by * 100:+.0f} points" if trend.is_share else f"{by:+,}"
    return words.replace("-", "−")


@register.filter
def within(measured: Precision | Found) -> str:
    """Its 95 % interval: "60–81 %"; empty where there is none."""
    if measured.interval is None:
        return ""
    low, high = measured.interval
    return f"{low * 100:.0f}–{high * 100:.0f} %"


@register.filter
def shares(measure: Measure | None) -> str:
    """The 95 % interval of a share: "60–81 %"; empty where there is none."""
    if measure is None or measure.low is None or measure.high is None:
        return ""
    return f"{max(measure.low, 0.0) * 100:.0f}–{measure.high * 100:.0f} %"


@register.filter
def points(measure: Measure | None) -> str:
    """The difference of two shares: "+6.1 points"; not defined → "–"."""
    return _UNKNOWN if measure is None or measure.value is None else f"{_signed(measure.value)} points"


@register.filter
def points_between(measure: Measure | None) -> str:
    """Its 95 % interval: "+1.2 to +11.0"; empty where there is none."""
    if measure is None or measure.low is None or measure.high is None:
        return ""
    return f"{_signed(measure.low)} to {_signed(measure.high)}"


def _signed(share: float) -> str:
    return f"{share * 100:+.1f}".replace("-", "−")


@register.filter
def beyond(measure: Measure | None) -> str:
    """A κ or α: "0.71"; not defined → "–"."""
    return f"{measure.value:.2f}" if measure and measure.value is not None else _UNKNOWN


@register.filter
def between(measure: Measure) -> str:
    """Its 95 % interval: "0.55 to 0.87"; empty where there are too few items."""
    return "" if measure.low is None or measure.high is None else f"{measure.low:.2f} to {measure.high:.2f}"
