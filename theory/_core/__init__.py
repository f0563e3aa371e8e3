"""What the results share: results, statuses, claims, validation, special functions, roots, citations."""
