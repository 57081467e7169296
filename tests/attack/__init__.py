"""What servers, gateways and account holders may send, and what a call comes to."""
