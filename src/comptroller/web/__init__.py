"""The dashboard: pages rendered on the server, readable without JavaScript, live where the browser has it."""
