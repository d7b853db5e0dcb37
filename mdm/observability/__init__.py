"""What operators see: metrics (`metrics`) and logs (`logs`). Knows nothing of what it reports on."""
