"""The state of one connection: the current session, its identity map and its writer.

Imports nothing; its modules import settings, wire and the errors, and know records by the Protocol in ``records`` only.
It does not promise anything about models: those are the ORM's, above it.
"""
