"""The pages about isolation."""
