"""The demo: five tenants with a month behind them, for looking around; never in production.

Everything is done by the product's own services, with the clock shifted to the day on which it happened.
"""
