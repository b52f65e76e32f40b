"""Names of time zones to choose from."""

from functools import cache
from zoneinfo import available_timezones

#: Regions of the IANA database; the rest are aliases and history.
_REGIONS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


@cache
def time_zones() -> list[str]:
    """UTC first, then by name."""
    return ["UTC", *sorted(name for name in available_timezones() if name.startswith(_REGIONS))]
