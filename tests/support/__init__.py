"""What several test modules use: fake services, recorded exchanges, cassettes."""
