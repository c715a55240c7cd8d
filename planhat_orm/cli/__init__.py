"""The ``planhat`` command. Needs ``planhat_orm[cli]``, and ``planhat_orm[sandbox]`` for what runs a sandbox.

Imports nothing, so that neither Typer nor Rich is loaded; its modules may import everything below, and nothing imports
them. What it prints is for people: scripts should use the library, whose names do not change without notice.
"""
