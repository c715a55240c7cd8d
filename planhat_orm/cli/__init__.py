"""The ``planhat`` command. Needs ``planhat_orm[cli]``, and ``planhat_orm[sandbox]`` for what runs a sandbox.

Importing this package alone loads neither Typer nor Rich.
"""
