"""The names of the operations of moves."""

MOVE = "moves.move"
PURGE = "moves.purge"
RETURN = "moves.return"
