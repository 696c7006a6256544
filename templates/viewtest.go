package templates

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// viewTestFiles returns a test to start from: what the new stubs of a view make
// of one event.
func viewTestFiles(s *schema.Service, v *schema.View) []File {
	if len(v.Events) == 0 {
		return nil
	}
	g := newGofile(viewPackage(v))
	g.use("testing")
	g.use(runtimePath + "/estest")
	g.use(s.Module + "/events")
	w := &viewTest{gofile: g, service: s, view: v, event: beginning(v), id: sampleID(s)}
	w.sample = sampleEvent(w.event.Event)
	g.printf("%s", comment("TestView folds events into the view, without a store or a server. Adapt what it wants to what the aggregators do."))
	g.printf("func TestView(t *testing.T) {\n")
	if v.KeyedByEntity {
		g.printf("estest.Given(t, Definition(),\n%s,\n).Want(\n%s)\n", w.eventLiteral(), w.wanted(w.id))
	} else {
		w.writeAnyOrder()
	}
	g.printf("}\n")
	return []File{g.once(viewFolder(v) + "/view_test.go")}
}

// viewTest writes the test of one view.
type viewTest struct {
	*gofile
	service *schema.Service
	view    *schema.View
	event   *schema.ViewEvent
	id      string
	sample  map[string]any
}

// beginning is the event that a history of the view can begin with.
func beginning(v *schema.View) *schema.ViewEvent {
	if i := slices.IndexFunc(v.Events, func(ve *schema.ViewEvent) bool { return ve.Event.FromNone }); i >= 0 {
		return v.Events[i]
	}
	return v.Events[0]
}

// writeAnyOrder writes the body for a view that several entities feed.
func (w *viewTest) writeAnyOrder() {
	key := eventFieldNames(w.service, w.event.Event)[w.service.Entity.Key]
	second := w.service.Entity.Name + "-2"
	w.printf("first := %s\nsecond := first\nsecond.%s = %q\n\n", w.eventLiteral(), key, second)
	w.printf("// Events of different %s arrive in any order: each must give the same records.\n", plural(w.service.Entity.Name))
	w.printf("estest.Given(t, Definition(), first, second).InAnyOrder().Want(")
	if wanted := w.wanted(w.id, second); wanted != "" {
		w.printf("\n%s", wanted)
	}
	w.printf(")\n")
}

// eventLiteral is the event as a Go value.
func (w *viewTest) eventLiteral() string {
	e := w.event.Event
	names := eventFieldNames(w.service, e)
	items := []string{fmt.Sprintf("%s: %q", names[w.service.Entity.Key], w.id)}
	for _, f := range e.Fields {
		if value, ok := w.sample[f.Name]; ok {
			items = append(items, names[f.Name]+": "+literal(w.gofile, w.service, f.Type, value))
		}
	}
	return composite("events."+schema.GoName(e.Name), items)
}

// composite is a struct's value, one field a line when there are several.
func composite(name string, items []string) string {
	if len(items) < 3 {
		return name + "{" + strings.Join(items, ", ") + "}"
	}
	return name + "{\n" + strings.Join(items, ",\n") + ",\n}"
}

// wanted is the list of records that the new stubs make of the event, when the
// entities that it happens to are ids, in this order.
func (w *viewTest) wanted(ids ...string) string {
	var order []any
	last := map[any]string{} // key -> entity whose event came last
	for _, id := range ids {
		for _, key := range w.keys(id) {
			if !slices.Contains(order, key) {
				order = append(order, key)
			}
			last[key] = id
		}
	}
	var b strings.Builder
	for _, key := range order {
		fmt.Fprintf(&b, "%s,\n", w.record(key, last[key]))
	}
	return b.String()
}

// keys are those of the records that the event of an entity names.
func (w *viewTest) keys(id string) []any {
	if w.view.KeyedByEntity {
		return []any{id}
	}
	var keys []any
	for _, path := range w.event.Keys {
		found := follow(w.sample, path.Steps)
		if path.Text == w.service.Entity.Key {
			found = []any{id}
		}
		for _, key := range found {
			if key != "" && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// follow leads along a path to the strings and numbers at its end.
func follow(value any, steps []schema.Step) []any {
	if len(steps) == 0 {
		switch value.(type) {
		case string, json.Number:
			return []any{value}
		}
		return nil
	}
	object, _ := value.(map[string]any)
	next := object[steps[0].Field.Name]
	if !steps[0].Each {
		return follow(next, steps[1:])
	}
	var all []any
	list, _ := next.([]any)
	for _, element := range list {
		all = append(all, follow(element, steps[1:])...)
	}
	return all
}

// record is one wanted record: start values, then what the stub copies.
func (w *viewTest) record(key any, id string) string {
	names := viewFieldNames(w.view)
	keyType := w.view.KeyType
	if w.view.KeyedByEntity {
		keyType = &schema.Type{Kind: schema.String}
	}
	items := []string{names[w.view.Key] + ": " + w.value(w.view.Key, keyType, key)}
	for _, c := range copies(w.service, w.view, w.event.Event) {
		value, ok := w.copied(c, id)
		if !ok {
			continue
		}
		text := w.value(c.field.Name, c.field.Type, value)
		if c.field.Optional && !nilable(c.field.Type) {
			text = "new(" + converted(w.gofile, w.service, c.field.Type, text) + ")"
		}
		items = append(items, names[c.field.Name]+": "+text)
	}
	return composite("View", items)
}

// copied is what a field of the record holds in the end, false for the zero value.
func (w *viewTest) copied(c fieldCopy, id string) (any, bool) {
	switch {
	case c.state && w.event.Event.To != "":
		return w.event.Event.To, true
	case c.key:
		return id, true
	case c.source != nil && w.sample[c.source.Name] != nil:
		return w.sample[c.source.Name], true
	}
	if d := c.field.Default; d != nil && d.Literal != "" {
		value, err := decodeLiteral(d.Literal)
		return value, err == nil
	}
	return nil, false
}

// value is a Go value of a field of the view; values of enums in place have constants.
func (w *viewTest) value(field string, t *schema.Type, value any) string {
	if text, ok := value.(string); ok && t.Kind == schema.Enum && t.Named == nil {
		return schema.GoFieldConst("View", viewFieldNames(w.view)[field], text)
	}
	return literal(w.gofile, w.service, t, value)
}
