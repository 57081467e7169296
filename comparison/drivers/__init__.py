"""The code that runs beside a client. It imports only its framework."""
