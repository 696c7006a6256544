package defaultview

import (
	"errors"

	"example.com/ballot/events"
	es "github.com/esgen/esgen/runtime"
)

func onVoteCast(view *View, event events.VoteCast, meta es.Meta) error {
	if event.Candidate == "nobody" {
		return errors.New("a vote for nobody cannot be counted")
	}
	view.Tally[event.Candidate] += event.Weight
	return nil
}

func onBallotClosed(view *View, event events.BallotClosed, meta es.Meta) error {
	view.State = meta.State
	best := event.Standings[0]
	for _, s := range event.Standings[1:] {
		if s.Votes > best.Votes {
			best = s
		}
	}
	view.Winner = &best.Candidate
	return nil
}

// onBallotWithdrawn removes the record: a withdrawn ballot is nobody's business.
func onBallotWithdrawn(view *View, event events.BallotWithdrawn, meta es.Meta) error {
	return es.Delete
}
