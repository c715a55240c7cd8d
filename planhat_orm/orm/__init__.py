"""Active Record: how a record behaves."""
