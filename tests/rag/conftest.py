"""Leaves out the tests of packages that an environment may not have."""

from importlib.util import find_spec

# The packages of the extra rag need grpcio, which not every platform has.
collect_ignore_glob = [] if find_spec("langchain_qdrant") else ["test_*.py"]
