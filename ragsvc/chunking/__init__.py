"""Text to chunks with offsets: the general building blocks that domain packs compose."""
