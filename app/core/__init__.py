"""What every feature stands on: configuration, clock, database, tenancy, jobs; no HTTP and no features."""
