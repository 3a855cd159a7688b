"""The pages of clones."""
