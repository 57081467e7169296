"""HTTP requests and responses, for all services: the only package that does I/O.

``fetch`` returns a JSON object and ``download`` writes a file; both retry. ``send``
makes one attempt and returns when the headers are received, for streams. The names of
the async versions begin with an ``a``.
"""
