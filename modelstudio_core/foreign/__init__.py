"""All uses of private attributes of other libraries.

Each module catches every exception, falls back to public interfaces, logs that once,
and is off with ``MODELSTUDIO_FAST_PATH=0``, unless it is a time limit; see
``fast_path.py``. The uses of private attributes of a framework are in the
``_foreign.py`` of its adapter.
"""
