"""Leaves out the tests of packages that an environment may not have."""

from importlib.util import find_spec

# langchain-qdrant and LlamaIndex's store are in the extra rag, and need grpcio, which
# not every platform has.
collect_ignore = [] if find_spec("langchain_qdrant") else ["test_hybrid_search.py"]
