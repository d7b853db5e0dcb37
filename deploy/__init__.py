"""How the hub is brought up: for containers (`compose.yaml`, `connectors/`) and, without any, as processes (`stack`)."""
