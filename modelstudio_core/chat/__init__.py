"""Chat: sends the messages of a prompt and returns events or complete answers."""
