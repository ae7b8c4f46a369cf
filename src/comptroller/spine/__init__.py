"""Operations, services and mandatory writes."""
