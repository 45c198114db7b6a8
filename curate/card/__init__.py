"""Data cards: facts that are measured, a person's words that are kept, and Croissant beside them."""
