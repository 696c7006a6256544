package schema

import "fmt"

// builder makes the model of a file whose structure holds, and reports what the
// structure cannot say. A part that is wrong is left out, so that one mistake
// is reported once.
type builder struct {
	*report
	root    *node
	service *Service

	types    map[string]*typeEntry
	typeKeys map[string]bool // what types will have
	events   map[string]*Event
	views    map[string]*View

	uses      []*Type          // of objects; their fields are known at the end
	pending   []pendingValues  // checked when all types are complete
	used      map[string]bool  // named types that something refers to
	fieldAt   map[*Field]*node // the key of each field, to point at
	eventAt   map[*Event]*node // the key of each event
	eventBody map[*Event]*node
	states    map[string]bool
	partial   map[*Event]bool // an event with a field that was left out after a report
	broken    map[string]bool // names of fields that were left out after a report
}

func build(r *report, root *node) *Service {
	b := &builder{
		report: r, root: root, service: &Service{},
		types: map[string]*typeEntry{}, typeKeys: map[string]bool{}, events: map[string]*Event{}, views: map[string]*View{},
		used: map[string]bool{}, fieldAt: map[*Field]*node{}, broken: map[string]bool{}, partial: map[*Event]bool{}, eventBody: map[*Event]*node{}, states: map[string]bool{}, eventAt: map[*Event]*node{},
	}
	b.service.Name = root.get("service").string()
	b.service.Description = root.get("description").string()
	b.module(root.get("module"))
	b.entity(root.get("entity"))
	b.declareTypes(root.get("types"))
	b.defineTypes()
	b.eventTypes(root.get("events"))
	b.finishUses()
	b.checkCycles()
	b.lifecycle()
	b.viewList(root.get("views"))
	b.checkValues()
	b.consumers(root.get("consumers"))
	b.api(root.get("api"))
	b.pipeline(root.get("pipeline"))
	b.collisions()
	if !b.found.HasErrors() { // a mistake makes warnings that go with it
		b.warnings()
	}
	return b.service
}

// entries lists what a name map defines; what says of which there must be one, "" for none.
func (b *builder) entries(n *node, what string) []entry {
	list := n.named()
	if what != "" && n != nil && len(list) == 0 && n.kind == mappingNode {
		b.add("empty", n, "there must be at least one "+what, "")
	}
	for _, e := range list {
		if len(e.key.text) > maxName {
			b.add("bad-name", e.key, fmt.Sprintf("a name has at most %d characters, and this one has %d", maxName, len(e.key.text)), "")
		}
	}
	return list
}
