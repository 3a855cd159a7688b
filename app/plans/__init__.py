"""Plans: what a tenant may be given, with a price label and limits; billing extends the catalogue later.

A *Plan* also carries the defaults that a tenant made by command takes: region, time zone, currency.
"""
