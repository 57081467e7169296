"""The two protocols: requests out, pushed parsers in. Nothing here does I/O."""
