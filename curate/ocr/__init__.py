"""Text in pictures: engines, tiling, reading order, cache and the stage."""
