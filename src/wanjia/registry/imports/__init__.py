"""The pages on which the national sheets are brought, looked over, taken in and handed out."""
