"""The HTTP edge. Start with ``app.py``; ``schemas.py`` is the wire, ``errors.py`` the one table of statuses."""
