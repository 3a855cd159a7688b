"""The members page as a Django application has it: the tenant by its host, the viewer by a session, five reads."""

import hashlib

from django.core.wsgi import get_wsgi_application
from django.db.models import Count
from django.http import HttpResponseForbidden
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

COOKIE = "session"
PAGE_ROWS = 50  # As the product.


def list_members(request):
    """Show the first page of the members by name."""
    from workspace.models import MODELS

    members, roles = MODELS["members"].objects, MODELS["roles"].objects
    counts = members.values("state").annotate(count=Count("id")).order_by("state")
    page = list(members.select_related("role").order_by("name_search", "id")[: PAGE_ROWS + 1])
    given = {
        "tenant": request.tenant,
        "viewer": request.viewer,
        "counts": list(counts),
        "roles": sorted(roles.all(), key=lambda role: role.key),
        "members": page[:PAGE_ROWS],
        "has_more": len(page) > PAGE_ROWS,
    }
    return render(request, "plain_members.html", given)


def require_session(get_response):
    """Let nobody pass who has not signed in."""
    from workspace.models import MODELS

    def handle(request):
        token = request.get_signed_cookie(COOKIE, default="")
        sessions = MODELS["member_sessions"].objects.select_related("member__role")
        found = sessions.filter(
            token_hash=hashlib.sha256(token.encode()).digest(),
            host=request.get_host().partition(":")[0],
            member__state="active",
            revoked_at=None,
            expires_at__gt=timezone.now(),
        ).first()
        if found is None or "member:read" not in " ".join(found.member.role.permissions):
            return HttpResponseForbidden("Sign in first.")
        request.viewer = found.member
        return get_response(request)

    return handle


urlpatterns = [path("members", list_members)]
application = get_wsgi_application
