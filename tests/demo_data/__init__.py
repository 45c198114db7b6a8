"""The demo data set's pictures: invented shop pages, rendered by a browser so that every line of text is known."""
