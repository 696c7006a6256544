package schema

import (
	"fmt"
	"strings"
)

const maxKeyLength = 256

// envelope are the members of a request that are not fields of the event.
var envelope = []string{"type", "eventId", "expectedVersion", "version", "revision", "time", "meta"}

func (b *builder) entity(n *node) {
	e := &b.service.Entity
	e.Name = n.get("name").string()
	e.MinLength, e.MaxLength = 1, maxKeyLength
	key := n.get("key")
	name := key
	if key.kind == mappingNode {
		name = key.get("name")
		b.entityKey(key)
	}
	e.Key = name.string()
	if setOf(envelope...)[e.Key] {
		b.add("reserved-name", name, fmt.Sprintf("the key cannot be called %q: every event has a member of that name beside it", e.Key), "such as "+camel(e.Name)+"Id")
	}
	if states := n.get("states"); states != nil {
		for _, s := range states.items {
			e.States = append(e.States, s.text)
			b.states[s.text] = true
			if s.text == "none" {
				b.add("reserved-name", s, `the state "none" is reserved: "from: none" stands for an entity without events`, "")
			}
		}
	}
}

func (b *builder) entityKey(key *node) {
	e := &b.service.Entity
	if at := key.get("minLength"); at != nil {
		e.MinLength = count(at)
	}
	if at := key.get("maxLength"); at != nil {
		e.MaxLength = count(at)
	}
	if e.MinLength > e.MaxLength {
		at := key.get("minLength")
		b.add("constraint-range", at, "no value satisfies these bounds: the least allowed is above the greatest", "")
	}
	if at := key.get("pattern"); at != nil {
		if problem, hint := patternProblem(at.text); problem != "" {
			b.add("bad-pattern", at, "the pattern is not a regular expression of RE2: "+problem, hint)
			return
		}
		e.Pattern = at.text
	}
}

// camel writes a kebab-case name in camelCase.
func camel(name string) string {
	words := strings.Split(name, "-")
	for i, w := range words {
		if i > 0 && w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
