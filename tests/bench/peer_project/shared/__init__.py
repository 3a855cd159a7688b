"""What all tenants share."""
