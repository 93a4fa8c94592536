"""What the brokers say, applied once: outcomes, order reports, fills and positions, a batch per transaction."""
