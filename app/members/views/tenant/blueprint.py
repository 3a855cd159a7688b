"""The blueprint that the rooms of this folder share."""

from __future__ import annotations

from flask import Blueprint

from app.web.hosts import Surface

bp = Blueprint("members_tenant", __name__, subdomain=Surface.TENANT)
