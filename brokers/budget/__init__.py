"""What each login may still ask its venue: windows that count, parts that keep processes apart, pages that show it."""
