"""The pages of audit events."""
