"""A server on a real socket that fails in every way that the service or a network can.

A prompt written by ``prompt`` says which fault each attempt of the request meets.
"""

from tests.support.fault_server.server import FaultServer, ServerLog
from tests.support.fault_server.wire import REQUEST_ID, FaultRequest, prompt

__all__ = ["REQUEST_ID", "FaultRequest", "FaultServer", "ServerLog", "prompt"]
