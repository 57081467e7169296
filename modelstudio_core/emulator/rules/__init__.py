"""The rules: what the service refuses, and with which error."""
