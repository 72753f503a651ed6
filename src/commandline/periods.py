"""The arguments of commands that ask about a period."""

import argparse

from application.reports.period import Period, asked


def add_period(parser: argparse.ArgumentParser) -> None:
    """The arguments that `period_of` reads."""
    parser.add_argument("--month", metavar="MONTH", help="a month such as 2026-11")
    parser.add_argument(
        "--from-us", type=int, metavar="US", help="or from this quarter hour, in microseconds since 1970"
    )
    parser.add_argument("--until-us", type=int, metavar="US", help="to before this one")
    parser.add_argument(
        "--zone", default="UTC", metavar="ZONE", help="the time zone of months and days (%(default)s)"
    )


def period_of(values: argparse.Namespace) -> Period:
    """The period that was asked for.

    Raises:
        BadField: it cannot be used.
    """
    return asked(month_name=values.month, from_us=values.from_us, until_us=values.until_us, zone=values.zone)
