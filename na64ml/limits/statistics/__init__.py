"""CLs limits: exact for small counts, asymptotic for large ones."""
