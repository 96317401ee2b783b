"""From what happened to what a scenario needs: planning files in, laws with their errors out."""
