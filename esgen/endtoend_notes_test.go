package main

import "math/rand/v2"

var notes = domain{
	name:  "notes",
	key:   "noteId",
	views: map[string]string{"default": "noteId"},
	next:  func(*rand.Rand, string) object { return object{"type": "NoteWritten"} },
	fold: func(histories map[string][]object) map[string]map[string]object {
		all := map[string]object{}
		for id, events := range histories {
			all[id] = object{"noteId": id, "version": events[len(events)-1]["version"]}
		}
		return map[string]map[string]object{"default": all}
	},
}
