"""What one tenant has: the product's home tables."""
