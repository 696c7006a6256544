package schema

import (
	"fmt"
	"slices"
)

func (b *builder) viewList(n *node) {
	for _, entry := range b.entries(n, "view") {
		v := &View{Name: entry.key.text, Revision: 1}
		b.views[v.Name] = v
		b.service.Views = append(b.service.Views, v)
		v.Description, v.Deprecated = described(entry.value)
		if at := entry.value.get("revision"); at != nil {
			v.Revision = count(at)
		}
		if v.Name == "events" {
			b.add("reserved-name", entry.key, `a view cannot be called "events": GET /events/{id} is the history of an entity`, "")
		}
		b.viewKey(v, entry)
		scope := fieldScope{what: "view", reserved: setOf("version", "meta", v.Key), why: "a record has a member of that name beside its fields"}
		fields := entry.value.get("fields")
		v.Fields = b.fields(fields, scope)
		b.indexes(v, entry.value.get("indexes"), len(v.Fields) < len(fields.named()))
	}
}

// viewKey reads what names a record, and where each event says it.
func (b *builder) viewKey(v *View, e entry) {
	entityKey := b.service.Entity.Key
	v.Key = entityKey
	at := e.value.get("key")
	if at != nil {
		v.Key = at.text
		if v.Key == "version" || v.Key == "meta" {
			b.add("reserved-name", at, fmt.Sprintf("a view's key cannot be called %q: a record has a member of that name", v.Key), "")
		}
	} else {
		at = e.key
	}
	v.KeyedByEntity = true
	k := viewKeyReader{builder: b, view: v, at: at}
	events := e.value.get("events")
	for _, item := range events.items {
		k.event(item, nil)
	}
	listed := events.named()
	if events.kind == mappingNode && len(listed) == 0 {
		b.add("empty", events, fmt.Sprintf("the view %q lists no event", v.Name), "")
	}
	for _, entry := range listed {
		k.event(entry.key, entry.value.get("key"))
	}
	v.KeyType = k.keyType
	if v.KeyType == nil {
		v.KeyType = &Type{Kind: String}
	}
	if v.KeyedByEntity {
		for _, ve := range v.Events {
			ve.Keys = nil
		}
	}
}

type viewKeyReader struct {
	*builder
	view    *View
	at      *node // of the key, to point at
	keyType *Type
	keyFrom *node
}

// event adds one event; key holds its paths, nil for the field of the key's own name.
func (k *viewKeyReader) event(at, key *node) {
	e := k.builder.event(at, fmt.Sprintf("view %q lists", k.view.Name))
	if e == nil {
		return
	}
	ve := &ViewEvent{Event: e}
	k.view.Events = append(k.view.Events, ve)
	if key == nil {
		k.ownName(ve, at)
		return
	}
	paths := key.items
	if key.kind == stringNode {
		paths = []*node{key}
	}
	total := 0
	for _, p := range paths {
		path, t := k.path(e, p.text, p)
		if path == nil {
			continue
		}
		k.agree(t, p)
		k.warnKey(k.view.Name, e, path, t, p)
		ve.Keys = append(ve.Keys, *path)
		total += path.records()
		if p.text != k.service.Entity.Key || k.view.Key != k.service.Entity.Key {
			k.view.KeyedByEntity = false
		}
	}
	if total > maxRecords {
		k.add("fan-out", key, fmt.Sprintf("one event may name at most %d records, and these paths name up to %d", maxRecords, total), "lower the maxItems of the lists")
	}
}

func (k *viewKeyReader) ownName(ve *ViewEvent, at *node) {
	name := k.view.Key
	if name != k.service.Entity.Key {
		k.view.KeyedByEntity = false
		if fieldNamed(ve.Event.Fields, name) == nil {
			if !k.partial[ve.Event] {
				hint := k.didYouMean(name, func() []string { return append(fieldNames(ve.Event.Fields), k.service.Entity.Key) })
				if hint == "" {
					hint = fmt.Sprintf("say where it is: events: {%s: {key: <path>}}", ve.Event.Name)
				}
				k.add("view-key", at, fmt.Sprintf("the event %q has no field %q, the key of the view %q", ve.Event.Name, name, k.view.Name), hint).
					relate(k.source, k.at, "the key is given here")
			}
			return
		}
	}
	path, t := k.path(ve.Event, name, at)
	if path == nil {
		return
	}
	k.agree(t, at)
	k.warnKey(k.view.Name, ve.Event, path, t, at)
	ve.Keys = []Path{*path}
}

// agree holds all paths of a view to one type of key.
func (k *viewKeyReader) agree(t *Type, at *node) {
	switch {
	case k.keyType == nil:
		own := *t
		own.Constraints = Constraints{}
		k.keyType, k.keyFrom = &own, at
	case k.keyType.Kind == t.Kind && k.keyType.Named == t.Named && slices.Equal(k.keyType.Values, t.Values):
	case k.keyType.Kind == t.Kind && t.Kind != Enum:
		k.keyType.Named = nil // the same scalar under two names
	default:
		k.add("view-key", at, fmt.Sprintf("the key of the view %q is of type %s here and of type %s elsewhere", k.view.Name, typeText(t), typeText(k.keyType)), "").
			relate(k.source, k.keyFrom, "the other type")
	}
}

// typeText writes a type as the schema does, for messages.
func typeText(t *Type) string {
	switch {
	case t.Named != nil:
		return t.Named.Name
	case t.Kind == List:
		return "list<" + typeText(t.Elem) + ">"
	case t.Kind == Map:
		return "map<" + typeText(t.Elem) + ">"
	}
	return t.Kind.String()
}

// reservedIndexes are parameters that a list of records has anyway, or may get.
var reservedIndexes = setOf("id", "limit", "cursor", "minVersion", "version", "order", "from", "to", "after", "before", "at", "fields", "filter", "q")

var (
	indexKinds = []Kind{String, Enum, Int, Bool, UUID, Date}
	sortKinds  = append(slices.Clone(indexKinds), Decimal, Timestamp)
)

// maxIndexes is how many global secondary indexes a DynamoDB table has by default, each a write
// of its own: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const maxIndexes = 20

func (b *builder) indexes(v *View, n *node, partial bool) {
	for i, e := range b.entries(n, "") {
		if i == maxIndexes {
			b.add("index-count", e.key, fmt.Sprintf("the view %q has more than %d indexes", v.Name, maxIndexes), "split it into two views of the same events, each with the indexes that its readers need")
		}
		index := &Index{Name: e.key.text, Desc: e.value.get("order").string() == "desc"}
		if reservedIndexes[index.Name] {
			b.add("reserved-name", e.key, fmt.Sprintf("an index cannot be called %q: it would be a parameter of every list", index.Name), "")
		}
		index.Key = b.indexField(v, e.value.get("key"), indexKinds, "key", partial)
		if at := e.value.get("sort"); at != nil {
			index.Sort = b.indexField(v, at, sortKinds, "sort", partial)
		}
		v.Indexes = append(v.Indexes, index)
	}
}

func (b *builder) indexField(v *View, at *node, kinds []Kind, role string, partial bool) *Field {
	f := fieldNamed(v.Fields, at.text)
	if f == nil {
		if !partial {
			b.add("unknown-field", at, fmt.Sprintf("the view %q has no field %q", v.Name, at.text), b.didYouMean(at.text, func() []string { return fieldNames(v.Fields) }))
		}
		return nil
	}
	if !slices.Contains(kinds, f.Type.Kind) {
		var fits []string
		for _, k := range kinds {
			fits = append(fits, k.String())
		}
		b.add("index-type", at, fmt.Sprintf("the %s of an index cannot be of type %s", role, typeText(f.Type)), "it may be "+orList(fits))
	}
	return f
}
