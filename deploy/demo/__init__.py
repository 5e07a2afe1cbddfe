"""Two portals as others would build them, each on an origin of its own, around one ragsvc: python -m deploy.demo."""
