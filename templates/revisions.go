package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// RevisionsPath is where a service keeps what [Revisions] returns.
const RevisionsPath = ".esgen/revisions.json"

// RevisionWarning is a view whose revision in the schema does not go with what
// has become of it.
type RevisionWarning struct {
	View    string
	Message string // what is the matter and what to do
}

// Revisions brings the record of the views' revisions up to date: previous is
// the file as it is, nil when there is none. The record holds key, fields and indexes of each
// view's current revision, of those before it and of views that were removed, until
// [DropRevisions] takes them out: no table of a deployed service goes silently. The error is of
// a file that cannot be read.
func Revisions(previous []byte, s *schema.Service) ([]byte, []RevisionWarning, error) {
	before, err := readRevisions(previous)
	if err != nil {
		return nil, nil, err
	}
	after := revisions{Views: map[string]*viewHistory{}, Dropped: before.Dropped}
	var warnings []RevisionWarning
	for _, v := range s.Views {
		h, warning := before.Views[v.Name].next(shapeOf(v))
		if used := before.Dropped[v.Name]; before.Views[v.Name] == nil && v.Revision <= used {
			warning = fmt.Sprintf("has been there before, up to revision %d, and was dropped: stages that had it may remember "+
				"what was folded into tables that are gone; begin with revision %d", used, used+1)
		}
		after.Views[v.Name] = h
		if warning != "" {
			warnings = append(warnings, RevisionWarning{View: v.Name, Message: fmt.Sprintf("view %q %s", v.Name, warning)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before.Views)) {
		if after.Views[name] == nil {
			gone := *before.Views[name]
			gone.Removed = true
			after.Views[name] = &gone
		}
	}
	text, err := json.MarshalIndent(after, "", "  ")
	return append(text, '\n'), warnings, err
}

// revisions is the content of the file. Maps come out in the order of their keys.
type revisions struct {
	Views map[string]*viewHistory `json:"views"`
	// Dropped is the last revision of views that were dropped altogether. Its number is used up.
	Dropped map[string]int `json:"dropped,omitempty"`
}

type viewHistory struct {
	Removed  bool   `json:"removed,omitempty"`
	Current  *shape `json:"current"`
	Previous *shape `json:"previous,omitempty"`
	// Older are those before the previous one, newest first. Which of them is deployed, and read,
	// is not known here: they stay until they are dropped.
	Older []*shape `json:"older,omitempty"`
}

// shape is what of a view makes its table and what is in it, but for the code
// of the aggregators.
type shape struct {
	Revision      int             `json:"revision"`
	Key           string          `json:"key"`
	KeyType       string          `json:"keyType"`
	KeyedByEntity bool            `json:"keyedByEntity"`
	Events        map[string]keys `json:"events"`
	Fields        []fieldShape    `json:"fields"`
	Indexes       []indexShape    `json:"indexes"`
	// Shards is over how many partition keys each value of an index spreads in the revision's
	// table. It is set when the revision begins and stays: a table cannot be told another number.
	Shards int `json:"shards"`
	// Code is the hash of the view's own code when the revision was first seen deployed, "" before.
	Code string `json:"code,omitempty"`
}

// indexShards is the number for new revisions: dynamo.DefaultShards, which a test holds it to.
const indexShards = 4

// keys are the paths to an event's keys, empty in a view keyed by the entity.
type keys []string

type fieldShape struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Optional bool   `json:"optional,omitempty"`
	Default  string `json:"default,omitempty"`
}

type indexShape struct {
	Name string `json:"name"`
	Key  string `json:"key"`
	Sort string `json:"sort,omitempty"`
	Desc bool   `json:"desc,omitempty"`
}

func readRevisions(text []byte) (*revisions, error) {
	r := &revisions{}
	if len(bytes.TrimSpace(text)) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w; bring it back from version control", RevisionsPath, err)
	}
	for name, h := range r.Views {
		if h == nil || h.Current == nil {
			return nil, fmt.Errorf("%s: the view %q has no current revision; bring the file back from version control", RevisionsPath, name)
		}
		for _, sh := range append([]*shape{h.Current, h.Previous}, h.Older...) {
			if sh != nil && sh.Shards == 0 {
				sh.Shards = indexShards // of a record from before they were written down
			}
		}
	}
	return r, nil
}

// next is a view's history once it has a shape. The history may be nil, of a new view.
func (h *viewHistory) next(now *shape) (after *viewHistory, warning string) {
	if h == nil {
		return &viewHistory{Current: now}, ""
	}
	after = &viewHistory{Current: now, Previous: h.Previous, Older: h.Older}
	was := h.Current
	if was.Revision == now.Revision {
		now.Shards, now.Code = was.Shards, was.Code
		if !was.same(now) {
			warning = fmt.Sprintf("has changed and is still revision %d: "+
				"if that revision is deployed, raise it to %d, so that the changed view is built beside the deployed one", now.Revision, now.Revision+1)
		}
		return after, warning
	}
	after.Previous = was
	if h.Previous != nil {
		after.Older = append([]*shape{h.Previous}, h.Older...)
	}
	if now.Revision < was.Revision {
		warning = fmt.Sprintf("goes back from revision %d to %d: a revision names a table, so choose one that was never used",
			was.Revision, now.Revision)
	}
	after.forget(now.Revision)
	return after, warning
}

// forget takes a revision out of those before the current one: its number has been used again.
func (h *viewHistory) forget(revision int) {
	before := slices.DeleteFunc(h.before(), func(s *shape) bool { return s.Revision == revision })
	h.Previous, h.Older = nil, nil
	if len(before) > 0 {
		h.Previous, h.Older = before[0], before[1:]
	}
}

// before are the revisions before the current one, newest first.
func (h *viewHistory) before() []*shape {
	if h.Previous == nil {
		return nil
	}
	return append([]*shape{h.Previous}, h.Older...)
}

func (s *shape) same(o *shape) bool {
	a, errA := json.Marshal(s)
	b, errB := json.Marshal(o)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func shapeOf(v *schema.View) *shape {
	sh := &shape{
		Revision: v.Revision, Key: v.Key, KeyType: "string", KeyedByEntity: v.KeyedByEntity,
		Events: map[string]keys{}, Fields: []fieldShape{}, Indexes: []indexShape{}, Shards: indexShards,
	}
	if !v.KeyedByEntity {
		sh.KeyType = shapeText(v.KeyType, nil)
	}
	for _, ve := range v.Events {
		paths := keys{}
		for _, p := range ve.Keys {
			paths = append(paths, p.Text)
		}
		sh.Events[ve.Event.Name] = paths
	}
	for _, f := range v.Fields {
		fs := fieldShape{Name: f.Name, Type: shapeText(f.Type, nil), Optional: f.Optional}
		if f.Default != nil {
			fs.Default = f.Default.Literal
		}
		sh.Fields = append(sh.Fields, fs)
	}
	for _, ix := range v.Indexes {
		is := indexShape{Name: ix.Name, Key: ix.Key.Name, Desc: ix.Desc}
		if ix.Sort != nil {
			is.Sort = ix.Sort.Name
		}
		sh.Indexes = append(sh.Indexes, is)
	}
	// The order in the schema is no part of the shape.
	slices.SortFunc(sh.Fields, func(a, b fieldShape) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(sh.Indexes, func(a, b indexShape) int { return strings.Compare(a.Name, b.Name) })
	return sh
}

// shapeText spells a type with what is in it, so that a change of a shared type
// is one of the views that use it. seen are the types around it.
func shapeText(t *schema.Type, seen []*schema.NamedType) string {
	switch t.Kind {
	case schema.List:
		return "list<" + shapeText(t.Elem, seen) + ">"
	case schema.Map:
		return "map<" + shapeText(t.Elem, seen) + ">"
	case schema.Enum:
		return "enum(" + strings.Join(t.Values, ", ") + ")"
	case schema.Object:
		if slices.Contains(seen, t.Named) {
			return t.Named.Name
		}
		var fields []string
		for _, f := range t.Named.Type.Fields {
			mark := ""
			if f.Optional {
				mark = "?"
			}
			fields = append(fields, f.Name+": "+shapeText(f.Type, append(seen, t.Named))+mark)
		}
		return t.Named.Name + "{" + strings.Join(fields, ", ") + "}"
	}
	return kindNames[t.Kind]
}
