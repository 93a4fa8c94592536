"""How far every limit is away, for people: what the monitors wrote, as pages and over the API."""
