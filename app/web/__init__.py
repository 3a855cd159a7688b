"""HTTP for all features: headers, htmx, forms, tables, navigation and error pages; it knows no feature."""
