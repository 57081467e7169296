"""The tests: they run offline, and loopback is all the network they have."""
