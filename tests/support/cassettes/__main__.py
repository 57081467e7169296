"""Records the cassettes again: ``python -m tests.support.cassettes``."""

from tests.support.cassettes.recording import main

if __name__ == "__main__":
    main()
