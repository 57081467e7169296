"""Tests of the documentation: README, pages, examples and the site."""
