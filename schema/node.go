package schema

import (
	"encoding/json"
	"strings"
)

type nodeKind int

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	sequenceNode
	mappingNode
)

// node is a value of the file with its place. Aliases share the node of their anchor.
type node struct {
	kind     nodeKind
	text     string // of a string its value, of a bool or number its JSON
	span     span
	items    []*node        // of a sequence
	entries  []entry        // of a mapping, in order
	index    map[string]int // of entries; made when it is first wanted of many
	size     int            // nodes, aliases written out
	open     bool           // being read: an alias to it would be a cycle
	complete bool           // read: entries no longer change
}

type entry struct {
	key   *node // a string
	value *node
}

// get returns the value of a key, or nil. A nil node has no keys.
func (n *node) get(key string) *node {
	if e := n.entry(key); e != nil {
		return e.value
	}
	return nil
}

// key returns the node of a key, the place to point at; n itself without one.
func (n *node) key(name string) *node {
	if e := n.entry(name); e != nil {
		return e.key
	}
	return n
}

func (n *node) entry(key string) *entry {
	if n == nil {
		return nil
	}
	if n.complete && len(n.entries) > manyEntries {
		return n.indexed(key)
	}
	for i := range n.entries {
		if n.entries[i].key.text == key {
			return &n.entries[i]
		}
	}
	return nil
}

// manyEntries is from how many entries on a mapping gets an index.
const manyEntries = 16

func (n *node) indexed(key string) *entry {
	if n.index == nil {
		n.index = make(map[string]int, len(n.entries))
		for i, e := range n.entries {
			n.index[e.key.text] = i
		}
	}
	if i, ok := n.index[key]; ok {
		return &n.entries[i]
	}
	return nil
}

// named lists the entries that a name map has, without extensions.
func (n *node) named() []entry {
	if n == nil {
		return nil
	}
	named := make([]entry, 0, len(n.entries))
	for _, e := range n.entries {
		if !isExtension(e.key.text) {
			named = append(named, e)
		}
	}
	return named
}

// isExtension reports whether a key is one that the language leaves to others.
func isExtension(key string) bool { return strings.HasPrefix(key, "x-") }

// string returns the text of a string, "" of anything else or nothing.
func (n *node) string() string {
	if n == nil || n.kind != stringNode {
		return ""
	}
	return n.text
}

// isTrue reports whether the node is the bool true.
func (n *node) isTrue() bool { return n != nil && n.kind == boolNode && n.text == "true" }

// value returns the node as encoding/json would decode it with UseNumber.
func (n *node) value() any {
	switch n.kind {
	case boolNode:
		return n.text == "true"
	case numberNode:
		return json.Number(n.text)
	case stringNode:
		return n.text
	case sequenceNode:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = item.value()
		}
		return items
	case mappingNode:
		members := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			members[e.key.text] = e.value.value()
		}
		return members
	}
	return nil
}

// describe says what a value is, for messages.
func (n *node) describe() string {
	switch n.kind {
	case boolNode:
		return "the boolean " + n.text
	case numberNode:
		return "the number " + n.text
	case stringNode:
		return "a string"
	case sequenceNode:
		return "a list"
	case mappingNode:
		return "a mapping"
	}
	return "empty"
}
