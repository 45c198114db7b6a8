"""Recipes that come with curate; `curate run NAME` finds them here."""
