"""What a limit leaves on disk: tables, HEPData records, figures, a report."""
