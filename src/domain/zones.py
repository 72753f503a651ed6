"""Time zones by their names in the tz database."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.refusal import BadField


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name, such as `Asia/Kathmandu`.

    Raises:
        BadField: there is none of this name here.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadField("zone", "must be the name of a time zone, such as UTC or Asia/Tokyo") from None
