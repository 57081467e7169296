"""Runs the fault server as a command until its standard input ends.

It prints its port first.
"""

import sys

from tests.support.fault_server.server import FaultServer

if __name__ == "__main__":
    with FaultServer(keep_requests=False) as server:
        print(server.port, flush=True)
        sys.stdin.read()
