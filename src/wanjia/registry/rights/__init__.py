"""What the law gives the person: to see everything held about him, and to have it corrected (PIPL art. 45, 46)."""
