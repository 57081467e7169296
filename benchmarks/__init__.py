"""What a call and a chunk cost, beside what other clients pay for the same bytes."""
