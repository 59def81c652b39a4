"""How many dark particles a beam particle makes: cross-sections, track lengths, spectra."""
