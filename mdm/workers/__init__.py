"""Long-running loops around use cases. They hold no decisions."""
