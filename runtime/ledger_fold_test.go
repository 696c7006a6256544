package es_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	es "github.com/esgen/esgen/runtime"
)

// The fold of the ledger's whole history, written anew without anything of the
// package under test but the stored events: what every view must come to.

// content is a view at rest: payloads by key.
type content map[string]string

func parseAct(r es.Recorded) (a act) {
	var v struct {
		Owner, From string
		Keys        []string
		N           int64
	}
	if err := json.Unmarshal([]byte(r.Payload), &v); err != nil {
		panic(err)
	}
	return act{kind: r.Type, id: r.EntityID, Owner: v.Owner, From: v.From, Keys: v.Keys, N: v.N}
}

func expectLedger(histories map[string][]es.Recorded, forgiving bool) map[string]content {
	want := map[string]content{"diary": {}, "chronicle": {}, "purses": {}, "boards": {}}
	purses := map[string][2]int64{}
	boards := map[string]int64{}
	latest := map[string]es.Recorded{}
	for id, h := range histories {
		if p := expectDiary(id, h, []string{"Opened", "Added", "Closed", "Broken"}, forgiving); p != "" {
			want["diary"][id] = p
		}
		if p := expectDiary(id, h, ledgerKinds, true); p != "" {
			want["chronicle"][id] = p
		}
		for _, r := range expectUntilBroken(h, forgiving, []string{"Opened", "Added", "Moved", "Broken"}, purseKeys) {
			a := parseAct(r)
			if usable(a.Owner) {
				p := purses[a.Owner]
				purses[a.Owner] = [2]int64{p[0] + 1, p[1] + a.N}
			}
			if usable(a.From) {
				p := purses[a.From]
				purses[a.From] = [2]int64{p[0] - 1, p[1] - a.N}
			}
		}
		for _, r := range expectUntilBroken(h, forgiving, []string{"Opened", "Added", "Broken"}, boardKeys) {
			for _, k := range boardKeys(parseAct(r)) {
				boards[k] += parseAct(r).N
				if l, ok := latest[k]; !ok || later(r, l) {
					latest[k] = r
				}
			}
		}
	}
	for k, p := range purses {
		if p != [2]int64{} {
			want["purses"][k] = fmt.Sprintf(`{"key":%q,"count":%d,"sum":%d}`, k, p[0], p[1])
		}
	}
	for k, l := range latest {
		want["boards"][k] = fmt.Sprintf(`{"key":%q,"sum":%d,"last":"%s %d"}`, k, boards[k], l.EntityID, l.Version)
	}
	return want
}

func usable(key string) bool { return key != "" && len(key) <= 256 }

func purseKeys(a act) (keys []string) {
	for _, k := range []string{a.Owner, a.From} {
		if usable(k) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func boardKeys(a act) (keys []string) {
	for _, k := range a.Keys {
		if usable(k) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func later(a, b es.Recorded) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.After(b.Time)
	}
	if a.EntityID != b.EntityID {
		return a.EntityID > b.EntityID
	}
	return a.Version > b.Version
}

// expectUntilBroken gives the events that touch a view, up to the first that cannot be folded.
func expectUntilBroken(h []es.Recorded, forgiving bool, kinds []string, keys func(act) []string) (out []es.Recorded) {
	for _, r := range h {
		if !slices.Contains(kinds, r.Type) || len(keys(parseAct(r))) == 0 {
			continue
		}
		if r.Type == "Broken" && !forgiving {
			break
		}
		out = append(out, r)
	}
	return out
}

func expectDiary(id string, h []es.Recorded, kinds []string, forgiving bool) string {
	var log, seen []string
	exists, state := false, ""
	for _, r := range h {
		switch {
		case r.State == "open" || r.State == "shut":
			state = r.State
		case r.Type == "Opened":
			state = "open"
		case r.Type == "Closed":
			state = "shut"
		}
		if !slices.Contains(kinds, r.Type) {
			continue
		}
		if r.Type == "Broken" && !forgiving {
			break
		}
		if r.Type == "Closed" {
			exists, log, seen = false, nil, nil
			continue
		}
		a := parseAct(r)
		if r.Type == "Opened" {
			seen = append([]string{}, a.Keys...)
		} else if len(seen) > 0 {
			seen[0] += "+"
		}
		exists = true
		log = append(log, fmt.Sprintf("%d %s %s %d", r.Version, r.Type, state, a.N))
	}
	if !exists {
		return ""
	}
	text, _ := json.Marshal(map[string]any{"key": id, "log": log, "seen": seen})
	return string(text)
}

// contents lists what a store holds of the views of a model.
func contents(ctx context.Context, s es.ViewStore, m *es.Model) (map[string]content, error) {
	got := map[string]content{}
	for _, v := range m.Views {
		c := content{}
		for after := ""; ; {
			page, err := s.List(ctx, es.Table{View: v.Name, Revision: v.Revision}, es.PageRequest{Limit: 100, After: after})
			if err != nil {
				return nil, err
			}
			for _, item := range page.Items {
				c[item.Key] = item.Payload
			}
			if after = page.Next; after == "" {
				break
			}
		}
		got[v.Name] = c
	}
	return got, nil
}

// differences says how views differ from what they must come to, "" when they do not.
func differences(got, want map[string]content) (text string) {
	for view, w := range want {
		for key, payload := range w {
			if g := got[view][key]; g != payload {
				text += fmt.Sprintf("%s/%s:\n  got  %s\n  want %s\n", view, key, g, payload)
			}
		}
		for key, payload := range got[view] {
			if _, ok := w[key]; !ok {
				text += fmt.Sprintf("%s/%s: got %s, want none\n", view, key, payload)
			}
		}
	}
	return text
}
