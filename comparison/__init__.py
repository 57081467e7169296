"""The same scripted server, one client after another: what each of them keeps.

The server is the emulator. A client runs in a process of its own, in its own
environment, and does what a scenario asks for; the verdict is made here, from what the
client returned and from what the server received. ``python -m comparison``
writes ``docs/comparison.md``.
"""
