package schema

import "fmt"

// collisions refuses names that differ in the schema and not in Go.
func (b *builder) collisions() {
	for _, clash := range b.service.GoClashes() {
		if b.full() {
			return
		}
		second := b.nodeAt(clash.Second.Path)
		if clash.First.What == "" || clash.Second.What == "" {
			what := clash.Second
			if what.What == "" {
				what = clash.First
			}
			b.add("name-collision", b.nodeAt(what.Path), fmt.Sprintf("the %s would be called %s in Go, as something of generated code is", what.What, what.Name), "give it another name")
			continue
		}
		b.add("name-collision", second, fmt.Sprintf("the %s and the %s would both be called %s in Go", clash.Second.What, clash.First.What, clash.Second.Name), "rename one of them").
			relate(b.source, b.nodeAt(clash.First.Path), "the other one")
	}
}

// nodeAt follows a path of keys, and of values in a list; it ends at the key of
// the last that is there.
func (b *builder) nodeAt(path []string) *node {
	n, at := b.root, b.root
	for _, step := range path {
		if n.kind == sequenceNode {
			for _, item := range n.items {
				if item.text == step {
					return item
				}
			}
			return at
		}
		e := n.entry(step)
		if e == nil {
			return at
		}
		n, at = e.value, e.key
	}
	return at
}
