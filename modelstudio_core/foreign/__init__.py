"""Every touch of another library's private parts.

Each module here catches everything, falls back to public interfaces, logs once, and is
off with ``MODELSTUDIO_FAST_PATH=0``; see ``fast_path.py``. An adapter's touches of its
framework are in the adapter's own ``_foreign.py``.
"""
