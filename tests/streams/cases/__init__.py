from tests.streams.cases import actions, dialects, positions, streams
CASES = (*actions.CASES, *dialects.CASES, *positions.CASES, *streams.CASES)
