"""The only I/O: HTTP requests out, HTTP responses in. It knows no service.

``fetch`` returns whole JSON and ``download`` writes a file; both repeat what failed.
``send`` makes one attempt and returns as soon as the headers are there, for streams.
Each has an asynchronous version whose name begins with an ``a``.
"""
