"""Properties that must hold for any input, tested with hypothesis.

By default each property runs on a few examples, the same in every run. To search
longer, with new examples in every run::

    MODELSTUDIO_FUZZ=long pytest tests/fuzz

A failure prints the smallest input that breaks the property. Add it as an ``@example``
or as a plain test.
"""
