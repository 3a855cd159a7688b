"""Moments as people read them: in the time zone and the formats of whose portal it is."""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_date, format_datetime, get_timezone
from flask import Flask, g, has_request_context

DEFAULT = ("UTC", "en")


def init_moments(app: Flask) -> None:
    """Give templates `show_moment()` and `show_day()`."""
    app.jinja_env.globals["show_day"] = show_day
    app.jinja_env.globals["show_moment"] = show_moment


def show_moments_in(time_zone: str, locale: str) -> None:
    """Write every moment of this request's page in a time zone and a locale."""
    g.moments_in = (time_zone, locale)


def show_moment(at: datetime, *, date_only: bool = False) -> str:
    """Write a moment with the zone that it is in.

    Source: Unicode CLDR, medium date formats.
    """
    zone_name, locale = g.get("moments_in", DEFAULT) if has_request_context() else DEFAULT
    zone = get_timezone(zone_name)
    local = at.astimezone(zone)
    if date_only:
        return format_date(local, "d MMM y" if locale == "en" else "medium", locale=locale)
    pattern = "d MMM y, HH:mm zzz" if locale == "en" else "medium"
    return format_datetime(local, pattern, tzinfo=zone, locale=locale)


def show_day(day: date) -> str:
    """Write a day, which is the same in every zone.

    Source: Unicode CLDR, medium date formats.
    """
    locale = (g.get("moments_in", DEFAULT) if has_request_context() else DEFAULT)[1]
    return format_date(day, "d MMM y" if locale == "en" else "medium", locale=locale)
