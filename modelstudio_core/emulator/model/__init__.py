"""The model: how the deterministic answer to a request is made."""
