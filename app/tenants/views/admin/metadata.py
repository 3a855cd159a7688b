"""Tags, key-values and notes of a tenant: each added and taken away by a noun of its own."""

from __future__ import annotations

from uuid import UUID

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import InputError
from app.core.permissions import Permission
from app.tenants import queries, services
from app.tenants.forms import MetadatumForm, NoteForm, TagForm
from app.tenants.views.admin.blueprint import bp
from app.tenants.views.admin.pages import show_tab
from app.tenants.views.admin.undo import Undo, offer_undo
from app.web.decorators import require
from app.web.forms import Form, add_errors
from app.web.htmx import redirect_to
from app.web.identity import current_actor


@bp.get("/tenants/<uuid:tenant_id>/metadata")
@require(Permission.TENANT_READ)
def show_metadata(tenant_id: UUID) -> ResponseReturnValue:
    """Show what staff attached to a tenant."""
    return _show(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/tags")
@require(Permission.TENANT_EDIT)
def create_tag(tenant_id: UUID) -> ResponseReturnValue:
    """Tag a tenant; an invalid form comes back with 422."""
    form = TagForm()
    if not form.validate_on_submit():
        return _show(tenant_id, form)
    try:
        services.add_tag(tenant_id, form.tag.data, actor=current_actor())
    except InputError as error:
        return _show(tenant_id, form, error)
    return _back(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/tag-removals")
@require(Permission.TENANT_EDIT)
def create_tag_removal(tenant_id: UUID) -> ResponseReturnValue:
    """Take a tag away and offer to take that back."""
    tag = request.form.get("tag", "")
    if services.remove_tag(tenant_id, tag, actor=current_actor()):
        offer_undo(Undo(f"Tag “{tag}” was removed.", url_for(".create_tag", tenant_id=tenant_id), {"tag": tag}))
    return _back(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/metadata")
@require(Permission.TENANT_EDIT)
def create_metadatum(tenant_id: UUID) -> ResponseReturnValue:
    """Give a key a value, and offer to bring back the one it had; an invalid form comes back with 422."""
    form = MetadatumForm()
    if not form.validate_on_submit():
        return _show(tenant_id, form)
    try:
        before = services.set_metadatum(tenant_id, form.key.data, form.value.data, actor=current_actor())
    except InputError as error:
        return _show(tenant_id, form, error)
    if before not in {None, form.value.data}:
        _offer_metadatum(tenant_id, f"“{form.key.data}” was “{before}” before.", form.key.data, str(before))
    return _back(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/metadata-removals")
@require(Permission.TENANT_EDIT)
def create_metadatum_removal(tenant_id: UUID) -> ResponseReturnValue:
    """Take a key away and offer to take that back."""
    key = request.form.get("key", "")
    before = services.remove_metadatum(tenant_id, key, actor=current_actor())
    if before is not None:
        _offer_metadatum(tenant_id, f"“{key}” was removed.", key, before)
    return _back(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/notes")
@require(Permission.TENANT_EDIT)
def create_note(tenant_id: UUID) -> ResponseReturnValue:
    """Write a note; an invalid form comes back with 422."""
    form = NoteForm()
    if not form.validate_on_submit():
        return _show(tenant_id, form)
    services.add_note(tenant_id, form.text.data, actor=current_actor())
    return _back(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/notes/<uuid:note_id>/removal")
@require(Permission.TENANT_EDIT)
def create_note_removal(tenant_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """Put a note out of sight and offer to take that back."""
    services.remove_note(tenant_id, note_id, actor=current_actor())
    offer_undo(Undo("The note was removed.", url_for(".create_note_restoration", tenant_id=tenant_id, note_id=note_id)))
    return _back(tenant_id)


@bp.post("/tenants/<uuid:tenant_id>/notes/<uuid:note_id>/restoration")
@require(Permission.TENANT_EDIT)
def create_note_restoration(tenant_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """Bring a removed note back."""
    services.restore_note(tenant_id, note_id, actor=current_actor())
    flash("The note is back.", "success")
    return _back(tenant_id)


def _show(tenant_id: UUID, sent: Form | None = None, error: InputError | None = None) -> ResponseReturnValue:
    if sent is not None and error is not None:
        add_errors(sent, error)
    forms = {
        kind: sent if isinstance(sent, kind) else kind(formdata=None) for kind in (TagForm, MetadatumForm, NoteForm)
    }
    return show_tab(
        "show_metadata",
        queries.get_tenant(tenant_id),
        200 if sent is None else 422,
        tag_form=forms[TagForm],
        metadatum_form=forms[MetadatumForm],
        note_form=forms[NoteForm],
        tags=queries.list_tags(tenant_id),
        metadata=queries.list_metadata(tenant_id),
        notes=queries.list_notes(tenant_id),
    )


def _back(tenant_id: UUID) -> ResponseReturnValue:
    return redirect_to(url_for(".show_metadata", tenant_id=tenant_id))


def _offer_metadatum(tenant_id: UUID, message: str, key: str, value: str) -> None:
    offer_undo(Undo(message, url_for(".create_metadatum", tenant_id=tenant_id), {"key": key, "value": value}))
