"""What users report of the service, in both frameworks and both protocols."""
