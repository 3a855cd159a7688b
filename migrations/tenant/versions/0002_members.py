"""Roles, members, their sessions and throttles, and settings.

Lock time: none; the foreign keys join tables that are new.
"""

from alembic import op

from app.core.tenancy.ddl import add_tenant_foreign_key, protect_home_table

revision = "0002"
down_revision = "0001"

# Prefixes of name_search and email are searched by ^@; both indexes order by the bytes of the text, as ^@ does.
TABLES = """
create table roles (
    tenant_id uuid not null,
    id uuid not null,
    key text not null,
    name text not null,
    permissions jsonb not null,
    built_in boolean not null,
    constraint pk_roles primary key (tenant_id, id),
    constraint uq_roles_tenant_id_key unique (tenant_id, key)
);
create table members (
    tenant_id uuid not null,
    id uuid not null,
    email text not null,
    name text not null,
    name_search text not null,
    role_id uuid not null,
    state text not null constraint ck_members_state check (state in ('invited', 'active', 'deactivated')),
    password_hash text,
    link_serial bigint not null default 0,
    link_purpose text,
    link_expires_at timestamptz,
    link_used_at timestamptz,
    created_at timestamptz not null,
    last_signed_in_at timestamptz,
    constraint pk_members primary key (tenant_id, id),
    constraint uq_members_tenant_id_email unique (tenant_id, email)
);
create index ix_members_tenant_id_name_search_id on members (tenant_id, name_search, id);
create index ix_members_tenant_id_created_at_id on members (tenant_id, created_at, id);
create index ix_members_tenant_id_role_id on members (tenant_id, role_id);
create table member_sessions (
    tenant_id uuid not null,
    id uuid not null,
    member_id uuid not null,
    token_hash bytea not null,
    host text not null,
    address text not null,
    user_agent text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    constraint pk_member_sessions primary key (tenant_id, id),
    constraint uq_member_sessions_tenant_id_token_hash unique (tenant_id, token_hash),
    constraint ck_member_sessions_token_hash check (octet_length(token_hash) = 32)
);
create index ix_member_sessions_tenant_id_member_id on member_sessions (tenant_id, member_id);
create table member_throttles (
    tenant_id uuid not null,
    id uuid not null,
    key text not null,
    failures integer not null,
    last_failed_at timestamptz,
    constraint pk_member_throttles primary key (tenant_id, id),
    constraint uq_member_throttles_tenant_id_key unique (tenant_id, key)
);
create index ix_member_throttles_tenant_id_last_failed_at on member_throttles (tenant_id, last_failed_at);
create table settings (
    tenant_id uuid not null,
    id uuid not null,
    key text not null,
    value jsonb not null,
    updated_at timestamptz not null,
    constraint pk_settings primary key (tenant_id, id),
    constraint uq_settings_tenant_id_key unique (tenant_id, key)
);
"""
NAMES = ("roles", "members", "member_sessions", "member_throttles", "settings")


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        protect_home_table(op, table)
    add_tenant_foreign_key(op, "members", "role_id", "roles")
    add_tenant_foreign_key(op, "member_sessions", "member_id", "members", on_delete="cascade")


def downgrade() -> None:
    op.execute(f"drop table {', '.join(reversed(NAMES))}")
