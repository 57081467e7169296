"""Chat: a prompt in, events or whole answers out."""
