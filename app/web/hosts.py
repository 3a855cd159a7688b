"""Hosts and surfaces: which portal a Host header names, and the Flask that routes by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from flask import Flask, Request, g, request
from werkzeug.routing import MapAdapter

from app.core.errors import UnavailableError
from app.core.tenancy.scopes import TenantRoute

MAX_HOST_CHARACTERS = 253
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_PROBES = ("/healthz", "/readyz")


class Surface(StrEnum):
    """The portals, each with its own hosts, sign-in and navigation; views belong to exactly one."""

    ADMIN = "admin"
    PROBE = "probe"
    PUBLIC = "public"
    TENANT = "tenant"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """Where a request has arrived: the surface, the bare host, and on a tenant's surface the route to its home.

    With a `fault` nobody could tell: it is kept until the request runs, because Flask answers errors only from there.
    """

    surface: Surface
    host: str
    route: TenantRoute | None = None
    fault: UnavailableError | None = None


class Portal(Flask):
    """A Flask whose URL map is bound to the surface of the Host header, never to a default tenant."""

    place_of: Callable[[str, str], Place]

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the routes of the surface that this request's host names.

        Flask's own subdomain matching answers a foreign domain with 200.
        """
        if request is None:
            return None
        place = self.place_of(request.environ.get("HTTP_HOST", ""), request.path)
        request.environ["tenantry.place"] = place
        return self.url_map.bind_to_environ(request.environ, server_name=place.host or "-", subdomain=place.surface)


def current_place() -> Place:
    """Return where the running request has arrived."""
    place: Place = request.environ["tenantry.place"]
    return place


def current_route() -> TenantRoute:
    """Return the route of the tenant whose portal this is; only views of the tenant's surface ask."""
    route = current_place().route
    assert route is not None  # noqa: S101  # The tenant's surface exists only with a route.
    return route


def parse_host(header: str) -> str:
    """Return the host of a Host header, lower-cased, without port and trailing dot; empty when it is none."""
    host = header.strip(" \t").lower()
    if host.count(":") == 1:
        host = host.partition(":")[0]
    host = host.removesuffix(".")
    if not header.isascii() or len(host) > MAX_HOST_CHARACTERS or not _HOST.fullmatch(host) or ".." in host:
        return ""
    return host


def place_resolver(base_domain: str, resolve_host: Callable[[str], TenantRoute | None]) -> Callable[[str, str], Place]:
    """Return the function from a Host header and a path to a place."""
    base = base_domain.partition(":")[0].lower()
    fixed = {base: Surface.PUBLIC, f"admin.{base}": Surface.ADMIN}

    def place_of(header: str, path: str) -> Place:
        host = parse_host(header)
        if path in _PROBES:
            return Place(Surface.PROBE, host)
        if host in fixed:
            return Place(fixed[host], host)
        label = host.removesuffix(f".{base}")
        if label == host or "." in label:
            return Place(Surface.UNKNOWN, host)
        try:
            route = resolve_host(label)
        except UnavailableError as fault:
            return Place(Surface.UNKNOWN, host, fault=fault)
        return Place(Surface.UNKNOWN, host) if route is None else Place(Surface.TENANT, host, route)

    return place_of


def is_surface(surface: Surface) -> bool:
    """Tell whether the running request has arrived at a surface."""
    return bool(g) and current_place().surface is surface
