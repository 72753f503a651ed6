"""Messages to customers' endpoints: the queue in Postgres, and the way out."""
