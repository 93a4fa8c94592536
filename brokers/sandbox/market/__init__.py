"""The market behind every sandbox venue: products, contracts, quotes, and the engine that trades them."""
