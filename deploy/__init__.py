"""How the hub is brought up: in containers (`compose.yaml`) or, without any, as processes (`stack`)."""
