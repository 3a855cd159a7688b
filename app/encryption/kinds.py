"""The names of the operations of keys."""

ROTATE = "encryption.rotate"
