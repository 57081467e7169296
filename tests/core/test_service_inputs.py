"""Checks of arguments that several services share."""

from modelstudio_core.service_inputs import check_seconds


def test_a_time_that_no_clock_can_count_is_shortened() -> None:
    """``time.sleep`` raises OverflowError for more than 292 years."""
    assert check_seconds("timeout", 1e300) == 1e9
    assert check_seconds("timeout", 10**300) == 1e9
    assert check_seconds("timeout", 5) == 5.0
    assert check_seconds("timeout", None) is None
