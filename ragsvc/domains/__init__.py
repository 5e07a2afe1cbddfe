"""Domain packs: what is special about law, medicine and finance, each in one folder."""
