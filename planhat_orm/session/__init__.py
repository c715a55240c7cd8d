"""The state of one connection: the current session, its identity map and its writer."""
