"""The parts that the bodies of all services share: events, JSON values and errors."""
