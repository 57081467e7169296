"""The two protocols: they parse requests, and write answers, errors and faults.

``base`` says what a protocol can do, ``openai`` and ``dashscope`` do it.
"""
