"""What an operator sees: logs, metrics, and an audit line per answer. Question text and keys appear in none of them."""
