"""Properties that hold for any input, looked for with hypothesis.

The examples are the same on each run, and few enough for every day. To search for
longer, with new examples each time::

    MODELSTUDIO_FUZZ=long pytest tests/fuzz

A failure prints the smallest input that it found: it becomes an ``@example``, or a
plain test, beside the property that it broke.
"""
