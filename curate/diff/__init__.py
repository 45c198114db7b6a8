"""What changed between two data sets: rows matched, values compared, drift, reasons; one report for all renderers."""
