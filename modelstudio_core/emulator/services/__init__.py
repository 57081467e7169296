"""The services of the emulator, one module each.

A service decides how a recorded request is answered, and returns the response as steps.
To add one: write its module here, its parsing and writing in ``protocols``, its rules
in ``rules``, how its results are made in ``model``, and its routes in ``app``.
"""
