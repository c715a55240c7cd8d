"""Active Record: how a record behaves.

Imports nothing; its modules import the session, the paging engines, wire and the errors, and send nothing but through a
session. It does not declare what Planhat has: that is ``models``, above it.
"""
