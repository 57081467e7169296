"""The tests; they run offline, with loopback as their only network."""
