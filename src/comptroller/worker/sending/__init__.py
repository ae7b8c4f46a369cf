"""How a message leaves: signed webhooks, mail, chat services; each over a connection to a checked address."""
