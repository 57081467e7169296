"""What each client keeps, loses or corrupts, with the same scripted server.

The server is the emulator. Each client runs in its own process and environment and does
what a scenario says; the verdict is made here, from what the client returned and what
the server received. ``python -m comparison`` writes ``docs/comparison.md``.
"""
