package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

var library = domain{
	name:  "library",
	key:   "copyId",
	views: map[string]string{"default": "copyId", "member-loans": "memberId", "title": "isbn"},
	indexes: []index{
		{"default", "due", "state", "dueOn", false},
		{"default", "isbn", "isbn", "loans", true},
		{"default", "shelf", "shelf", "", false},
	},
	next: nextLoan,
	fold: foldLibrary,
}

func nextLoan(r *rand.Rand, _ string) object {
	member := fmt.Sprintf("0190A000-0000-7000-8000-%012d", r.IntN(9))
	due := fmt.Sprintf("2024-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28))
	switch r.IntN(7) {
	case 0, 1:
		e := object{"type": "CopyAdded", "isbn": fmt.Sprintf("978%010d", r.IntN(6)), "title": fmt.Sprintf("Title \"%d\"", r.IntN(4)),
			"authors": []any{object{"name": "A. B."}, object{"name": "Ünal", "born": 1950}}}
		if r.IntN(2) == 0 {
			e["shelf"] = []string{"ground", "first", "2nd", "north-wing"}[r.IntN(4)]
		}
		return e
	case 2, 3:
		return object{"type": "CopyLent", "memberId": member, "dueOn": due}
	case 4:
		return object{"type": "LoanExtended", "memberId": member, "dueOn": due}
	case 5:
		return object{"type": "CopyReturned", "memberId": member, "damage": nil}
	}
	if r.IntN(2) == 0 {
		return object{"type": "CopyLost"}
	}
	return object{"type": "CopyLost", "memberId": member}
}

func foldLibrary(histories map[string][]object) map[string]map[string]object {
	copies, members, titles := map[string]object{}, map[string]object{}, map[string]object{}
	seen := map[string]object{}
	for id, events := range histories {
		for _, e := range events {
			foldCopy(copies, id, e)
			if m, ok := e["memberId"]; ok {
				foldMember(members, text(m), id, e)
			}
			if e["type"] == "CopyAdded" {
				foldTitle(titles, seen, id, e)
			}
		}
	}
	return map[string]map[string]object{"default": copies, "member-loans": members, "title": titles}
}

func foldCopy(copies map[string]object, id string, e object) {
	c := record(copies, id, func() object {
		return object{"copyId": id, "isbn": "", "title": "", "authors": []any{}, "loans": 0}
	})
	c["version"] = e["version"]
	switch e["type"] {
	case "CopyAdded":
		for k, v := range take(e, "isbn", "title", "authors", "shelf") {
			c[k] = v
		}
		c["state"] = "available"
	case "CopyLent":
		c["state"], c["memberId"], c["dueOn"] = "lent", e["memberId"], e["dueOn"]
		c["loans"] = sum(c["loans"], json.Number("1"))
	case "LoanExtended":
		c["state"], c["memberId"], c["dueOn"] = "lent", e["memberId"], e["dueOn"]
	case "CopyReturned":
		c["state"] = "available"
		delete(c, "memberId")
		delete(c, "dueOn")
	case "CopyLost":
		c["state"] = "lost"
		if m, ok := e["memberId"]; ok {
			c["memberId"] = m
		}
	}
}

func foldMember(members map[string]object, member, id string, e object) {
	m := record(members, member, func() object {
		return object{"memberId": member, "open": object{}, "returned": 0, "lost": 0}
	})
	open := m["open"].(object)
	switch e["type"] {
	case "CopyLent":
		open[id] = e["dueOn"]
	case "LoanExtended":
		if _, ok := open[id]; ok {
			open[id] = e["dueOn"]
		}
	case "CopyReturned":
		delete(open, id)
		m["returned"] = sum(m["returned"], 1)
	case "CopyLost":
		delete(open, id)
		m["lost"] = sum(m["lost"], 1)
	}
}

func foldTitle(titles, seen map[string]object, id string, e object) {
	isbn := text(e["isbn"])
	t := record(titles, isbn, func() object {
		return object{"isbn": isbn, "title": "", "copies": 0, "shelves": object{}}
	})
	t["copies"] = sum(t["copies"], 1)
	shelves := t["shelves"].(object)
	shelves[text(e["shelf"])] = sum(shelves[text(e["shelf"])], 1)
	if later(seen, isbn, id, e) {
		t["title"] = e["title"]
	}
}
