"""A run of indexing in a process of its own, which can be killed."""

import sys
from pathlib import Path

from tests.rag.jobs import job_of


def main() -> None:
    """Update an index: framework, folder, directory, base URL and API key."""
    framework, folder, directory, base_url, api_key = sys.argv[1:]
    job_of(framework)(base_url, api_key, Path(directory)).update(Path(folder))


if __name__ == "__main__":
    main()
