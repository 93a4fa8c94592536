"""Our own venue: accounts without money, filled from live quotes as a careful broker would fill them."""
