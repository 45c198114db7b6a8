"""Making more of what is there: other words for dialogues, other pictures, with the label still right."""
