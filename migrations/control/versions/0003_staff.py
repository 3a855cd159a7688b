"""Staff users, their sessions, and the throttles of sign-ins on the platform's host; the tenant login gets nothing."""

from alembic import op

from app.core.tenancy.ddl import protect_control_table

revision = "0003"
down_revision = "0002"

TABLES = """
create table control.staff_users (
    id uuid not null constraint pk_staff_users primary key,
    email_sealed bytea not null,
    email_index bytea not null constraint uq_staff_users_email_index unique,
    email_index_next bytea constraint uq_staff_users_email_index_next unique,
    name_sealed bytea not null,
    role text not null constraint ck_staff_users_role check (role in ('admin', 'support')),
    state text not null constraint ck_staff_users_state check (state in ('active', 'deactivated')),
    password_hash text,
    link_serial bigint not null default 0,
    link_purpose text,
    link_expires_at timestamptz,
    link_used_at timestamptz,
    created_at timestamptz not null,
    last_signed_in_at timestamptz
);
create table control.staff_sessions (
    id uuid not null constraint pk_staff_sessions primary key,
    staff_user_id uuid not null constraint fk_staff_sessions_staff_user_id references control.staff_users (id)
        on delete cascade,
    token_hash bytea not null constraint uq_staff_sessions_token_hash unique,
    host text not null,
    address text not null,
    user_agent text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    constraint ck_staff_sessions_token_hash check (octet_length(token_hash) = 32)
);
create index ix_staff_sessions_staff_user_id on control.staff_sessions (staff_user_id);
create table control.throttles (
    key text not null constraint pk_throttles primary key,
    failures integer not null,
    last_failed_at timestamptz
);
create index ix_throttles_last_failed_at on control.throttles (last_failed_at);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("control.staff_users", "control.staff_sessions", "control.throttles"):
        protect_control_table(op, table)


def downgrade() -> None:
    op.execute("drop table control.throttles, control.staff_sessions, control.staff_users")
