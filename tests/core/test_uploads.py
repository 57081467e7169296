"""Addresses of the temporary storage, which need a header."""

import pytest

from modelstudio_core.uploads import oss_headers


@pytest.mark.parametrize("address", ["oss://a/b.png", "OSS://a/b.png"])
def test_an_address_of_the_temporary_storage_is_found_everywhere(address: str) -> None:
    assert oss_headers([{"multi_images": ["https://x.example", address]}])
    assert oss_headers(({"image": address},))
    assert not oss_headers([{"text": f"See {address}"}])
