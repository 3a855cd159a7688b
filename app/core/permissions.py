"""The permissions, alphabetical; the roles page and the docs are rendered from them."""

from enum import StrEnum


class Permission(StrEnum):
    """What somebody may do: `<thing>:<verb>`; platform permissions first, a tenant's begin with `workspace`."""

    AUDIT_READ = "audit:read"
    FLEET_MANAGE = "fleet:manage"
    FLEET_READ = "fleet:read"
    ISOLATION_CHECK = "isolation:check"
    ISOLATION_READ = "isolation:read"
    JOB_READ = "job:read"
    JOB_RETRY = "job:retry"
    OPERATION_RETRY = "operation:retry"
    PLATFORM_READ = "platform:read"
    SERVER_MANAGE = "server:manage"
    SERVER_READ = "server:read"
    STAFF_MANAGE = "staff:manage"
    STAFF_READ = "staff:read"
    TENANT_ARCHIVE = "tenant:archive"
    TENANT_CLONE = "tenant:clone"
    TENANT_CREATE = "tenant:create"
    TENANT_EDIT = "tenant:edit"
    TENANT_MOVE = "tenant:move"
    TENANT_READ = "tenant:read"
    TENANT_SUSPEND = "tenant:suspend"
    WORKSPACE_AUDIT_READ = "workspace:audit:read"
    WORKSPACE_ISOLATION_READ = "workspace:isolation:read"
    WORKSPACE_MEMBER_MANAGE = "workspace:member:manage"
    WORKSPACE_MEMBER_READ = "workspace:member:read"
    WORKSPACE_READ = "workspace:read"
    WORKSPACE_SETTINGS_EDIT = "workspace:settings:edit"
