"""Fake services, models and calls for all test modules; see CONTRIBUTING.md."""
