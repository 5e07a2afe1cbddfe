"""One module per area. A route checks, calls the service, and translates; it decides nothing about answers."""
