"""What the models do about every fault of the service or of the network."""
