"""Servers: the database servers on which tenants' homes lie, the main one and those that are registered beside it.

A *Server* is prepared by an operation before it takes homes, and measured every minute. Its URLs lie in files that
only the product's user can read, never in a row. Public services: register_server, update_server, change_url,
remove_server, measure_servers, reserve_place.
"""
