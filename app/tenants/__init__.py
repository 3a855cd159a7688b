"""The registry of tenants: who they are, what they are called, where their home lies and in what status they are.

A *tenant* is one party that uses the product apart from all others, known by an immutable id. Its *slug* is the name in
its host, `<slug>.BASE_DOMAIN`; a slug that was ever used stays taken, and so does every other that looks like it: they
share a *skeleton*. *Reserved* slugs belong to the platform. *Status* is the tenant's (active, suspended, …),
*placement* says where its *home* lies, *facts* are figures about the home that its own jobs publish.
"""
