"""Making labelled events: physics processes, engines that transport particles, and the readout."""
