package candidate

import (
	"example.com/ballot/events"
	es "github.com/esgen/esgen/runtime"
)

func onBallotClosed(view *View, event events.BallotClosed, meta es.Meta) error {
	for _, s := range event.Standings {
		if s.Candidate == view.Candidate {
			view.Votes += s.Votes
		}
	}
	view.Ballots++
	return nil
}
