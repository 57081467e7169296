"""Every fault on a real socket, and what comes of it."""
