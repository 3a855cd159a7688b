"""Settings: how a tenant calls and shows itself, and the typed settings that it may change.

Name, time zone and locale are control data that the tenant may edit; everything else is a row in its home, declared
in `definitions`. Public services: create_default_settings, update_workspace.
"""
