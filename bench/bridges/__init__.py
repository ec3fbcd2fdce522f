"""The bridges that are measured. Each has .pid, .ports (a UDP port for each leg), .keys (that each leg sends with, or
none) and close(), which returns what it says of the run."""
