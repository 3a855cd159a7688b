"""The first tables of every tenant's home: audit events."""

from alembic import op

from app.core.tenancy.ddl import protect_home_table

revision = "0001"
down_revision = None

# Prefixes of the search columns are found by ^@, which compares bytes as collation C does.
TABLES = """
create table audit_events (
    tenant_id uuid not null,
    id uuid not null,
    at timestamptz not null,
    actor_kind text not null,
    actor_id uuid,
    actor_label text not null,
    actor_search text collate "C" not null,
    address text,
    action text not null,
    target_kind text not null,
    target_id uuid,
    target_label text not null,
    target_search text collate "C" not null,
    changes jsonb not null,
    reason text,
    request_id text,
    constraint pk_audit_events primary key (tenant_id, id)
);
create index ix_audit_events_tenant_id_at_id on audit_events (tenant_id, at, id);
create index ix_audit_events_tenant_id_action_at_id on audit_events (tenant_id, action, at, id);
create index ix_audit_events_tenant_id_target_id_at_id on audit_events (tenant_id, target_id, at, id);
create index ix_audit_events_tenant_id_target_search on audit_events (tenant_id, target_search);
create index ix_audit_events_tenant_id_actor_search on audit_events (tenant_id, actor_search);
create index ix_audit_events_tenant_id_request_id on audit_events (tenant_id, request_id);
"""


def upgrade() -> None:
    op.execute(TABLES)
    # Append-only: nobody is granted UPDATE or DELETE.
    protect_home_table(op, "audit_events", verbs="select, insert")


def downgrade() -> None:
    op.execute("drop table audit_events")
