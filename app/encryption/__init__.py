"""Keys per tenant: a *root key* outside the database wraps one *key-encryption key* (KEK) an owner, which wraps its
*data keys*, one line of versions a purpose. Only wrapped keys are stored.

An owner is a tenant, or the platform. The application seals and opens through the key source of `core.encryption`,
which `key_store` is.
"""
