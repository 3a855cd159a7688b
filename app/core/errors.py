"""The errors that services raise; web/error_pages.py turns each kind into one HTTP answer."""


class TenantryError(Exception):
    """The root of every error that the product raises on purpose."""


class ConfigError(TenantryError):
    """The environment cannot be used as it is."""


class DomainError(TenantryError):
    """A use case was refused; the message is a sentence for the person who asked."""


class InputError(DomainError):
    """A value is not acceptable; `field` names the one to correct."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFoundError(DomainError):
    """No such thing exists for this actor."""


class ForbiddenError(DomainError):
    """The actor lacks the permission."""


class StateError(DomainError):
    """The thing is not in a state that allows this."""


class ConflictError(DomainError):
    """Somebody else was first."""


class ThrottledError(DomainError):
    """Too many tries; `retry_after_seconds` says when the next one is accepted."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(DomainError):
    """The service cannot answer now; nothing was changed, unless the message says that this is not known.

    `retry_after_seconds` is None where the same request must not be sent again unseen.
    """

    def __init__(self, message: str, retry_after_seconds: int | None = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
