"""What runs beside each client, in its environment: one module for each kind."""
