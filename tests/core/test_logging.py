"""Log lines: one JSON object each, with the request and the tenant, on whatever standard error is now."""

from __future__ import annotations

import io
import json
import sys

import structlog

from app.core.ids import new_id
from app.core.logging import init_logging
from app.core.tenancy.scopes import Placement, TenantRoute, Tier, tenant_scope


def logged(monkeypatch, level="INFO"):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    init_logging(level)
    return stream


def test_a_line_is_one_json_object_with_the_tenant_of_the_scope(app, monkeypatch):
    stream = logged(monkeypatch)
    route = TenantRoute(new_id(), "acme", "active", Placement("main", Tier.POOL, "pool", 1))
    with tenant_scope(route, reason="test"):
        structlog.get_logger().info("something_happened", count=3)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["count"], line["tenant_id"]) == ("something_happened", 3, str(route.tenant_id))
    init_logging("WARNING")


def test_lines_below_the_level_are_left_out(monkeypatch):
    stream = logged(monkeypatch, "WARNING")
    structlog.get_logger().info("unheard")
    assert stream.getvalue() == ""


def test_a_closed_standard_error_of_the_past_is_not_written_to(monkeypatch):
    logged(monkeypatch).close()
    now = io.StringIO()
    monkeypatch.setattr(sys, "stderr", now)
    structlog.get_logger().warning("still_heard")
    assert "still_heard" in now.getvalue()
    init_logging("WARNING")


def test_a_request_and_its_id_are_in_its_line(app, monkeypatch):
    stream = logged(monkeypatch)
    response = app.test_client().get("/healthz", base_url="http://10.0.0.1", headers={"X-Request-Id": "given-by-proxy"})
    line = json.loads(stream.getvalue().splitlines()[-1])
    assert line["request_id"] == response.headers["X-Request-Id"] == "given-by-proxy"
    init_logging("WARNING")
