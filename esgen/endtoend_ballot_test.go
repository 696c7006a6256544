package main

import (
	"math/rand/v2"
)

var ballot = domain{
	name:    "ballot",
	key:     "ballotId",
	views:   map[string]string{"default": "ballotId", "candidate": "candidate"},
	indexes: []index{{"default", "state", "state", "", false}},
	next:    nextVote,
	fold:    foldBallot,
	fails: func(view string, e object) bool {
		return view == "default" && e["candidate"] == "nobody"
	},
}

var candidates = []string{"Ada", "Grace", "Barbara", "nobody"}

func nextVote(r *rand.Rand, _ string) object {
	switch r.IntN(12) {
	case 0, 1, 2:
		return object{"type": "BallotDrafted", "question": "Who shall it be?", "candidates": []any{"Ada", "Grace", "Barbara"}}
	case 3, 4, 5:
		return object{"type": "BallotOpened"}
	case 6:
		return object{"type": "BallotClosed", "standings": []any{
			object{"candidate": "Ada", "votes": r.IntN(5)}, object{"candidate": "Grace", "votes": r.IntN(5)},
			object{"candidate": "Ada", "votes": r.IntN(3)}}}
	case 7:
		if r.IntN(3) == 0 {
			return object{"type": "BallotWithdrawn"}
		}
	}
	e := object{"type": "VoteCast", "voter": "someone", "candidate": candidates[r.IntN(3)]}
	if r.IntN(20) == 0 {
		e["candidate"] = "nobody" // the fold fails: the ballot stays as it was
	}
	if r.IntN(2) == 0 {
		e["weight"] = 1 + r.IntN(3)
	}
	return e
}

func foldBallot(histories map[string][]object) map[string]map[string]object {
	ballots, results := map[string]object{}, map[string]object{}
	for id, events := range histories {
		foldOneBallot(ballots, id, events)
		for _, e := range events {
			if e["type"] != "BallotClosed" {
				continue
			}
			named := map[string]bool{}
			for _, s := range e["standings"].([]any) {
				s := s.(object)
				name := text(s["candidate"])
				r := record(results, name, func() object { return object{"candidate": name, "ballots": 0, "votes": 0} })
				r["votes"] = sum(r["votes"], s["votes"])
				if !named[name] {
					r["ballots"] = sum(r["ballots"], 1)
				}
				named[name] = true
			}
		}
	}
	return map[string]map[string]object{"default": ballots, "candidate": results}
}

func foldOneBallot(ballots map[string]object, id string, events []object) {
	for _, e := range events {
		if e["candidate"] == "nobody" {
			return
		}
		b := record(ballots, id, func() object {
			return object{"ballotId": id, "question": "", "candidates": []any{}, "tally": object{}}
		})
		b["version"] = e["version"]
		switch e["type"] {
		case "BallotDrafted":
			b["question"], b["candidates"], b["state"] = e["question"], e["candidates"], "draft"
		case "BallotOpened":
			b["state"] = "open"
		case "VoteCast":
			tally := b["tally"].(object)
			tally[text(e["candidate"])] = sum(tally[text(e["candidate"])], e["weight"])
		case "BallotClosed":
			b["state"] = "closed"
			best := object{"votes": -1}
			for _, s := range e["standings"].([]any) {
				if number(s.(object)["votes"]).Cmp(number(best["votes"])) > 0 {
					best = s.(object)
				}
			}
			b["winner"] = best["candidate"]
		case "BallotWithdrawn":
			delete(ballots, id)
		}
	}
}
