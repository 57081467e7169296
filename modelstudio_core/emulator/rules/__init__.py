"""The rules: what the service refuses, and with which error.

The error texts are those of the official error-code page and of recorded bodies
(2026-02 to 2026-09). Where none is known, the text contains "emulator".
"""
