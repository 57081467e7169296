"""What a call and a chunk cost in CPU time, compared with other clients."""
