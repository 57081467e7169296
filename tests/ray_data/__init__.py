"""Bulk work over Ray Data, on the emulator: ``make test-ray``.

Ray is large, so it has an environment of its own below ``.benchmarks/``.
"""
