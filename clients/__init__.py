"""What other clients get from the emulator; see README.md.

Nothing is imported here: the drivers run in environments without this project.
"""
