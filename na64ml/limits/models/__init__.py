"""The signal models: what is made, how it is seen, and what its coupling is called."""
