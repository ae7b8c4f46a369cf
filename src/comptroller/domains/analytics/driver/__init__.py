"""SQL of deliveries, cost rows, series and anomalies."""
