"""The only I/O. It knows no service: requests out, responses in."""
