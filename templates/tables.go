package templates

import (
	"maps"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// ViewTable is a table that a deployed service has, or keeps.
type ViewTable struct {
	View     string
	Revision int
	Indexes  []string // by name, sorted
	Shards   int
	Standing Standing
}

// Standing is what a view's table is to the service.
type Standing int

// The schema's revision of a view is current: events are folded into it. Readers get one
// before it, the last that was deployed and complete, until the current one is rebuilt. A table that is kept belongs to a view that the schema no
// longer has: nothing writes or reads it, and it does not go by itself.
const (
	Current Standing = iota
	Previous
	Kept
)

// viewTables lists the tables in the order of the schema's views, a view's current one before
// those before it, newest first; then, by name, those of views that the schema no longer has.
func viewTables(s *schema.Service, record []byte) ([]ViewTable, error) {
	if record == nil {
		var err error
		if record, _, err = Revisions(nil, s); err != nil {
			return nil, err
		}
	}
	r, err := readRevisions(record)
	if err != nil {
		return nil, err
	}
	var tables []ViewTable
	for _, v := range s.Views {
		h := r.Views[v.Name]
		if h == nil || h.Current.Revision != v.Revision { // a record that was not brought up to date
			h = &viewHistory{Current: shapeOf(v)}
		}
		tables = append(tables, h.Current.table(v.Name, Current))
		for _, before := range h.before() {
			tables = append(tables, before.table(v.Name, Previous))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Views)) {
		if slices.ContainsFunc(s.Views, func(v *schema.View) bool { return v.Name == name }) {
			continue
		}
		h := r.Views[name]
		tables = append(tables, h.Current.table(name, Kept))
		for _, before := range h.before() {
			tables = append(tables, before.table(name, Kept))
		}
	}
	return tables, nil
}

func (s *shape) table(view string, standing Standing) ViewTable {
	t := ViewTable{View: view, Revision: s.Revision, Shards: s.Shards, Standing: standing}
	for _, ix := range s.Indexes {
		t.Indexes = append(t.Indexes, ix.Name)
	}
	return t
}

const dynamoPath = runtimePath + "/dynamo"

// tableFiles generates package tables: how each table is laid out. The names, which only the
// stack knows, are told to the functions by their environment.
func tableFiles(s *schema.Service, tables []ViewTable) ([]File, error) {
	g := newGofile(s, "cmd/internal/tables", "tables", "Package tables describes the tables of the "+s.Name+" service's views to its deployed programs.")
	g.ImportName(dynamoPath, "dynamo")
	var layouts []jen.Code
	for _, t := range tables {
		if t.Standing == Kept {
			continue
		}
		items := []jen.Code{keyed("View", jen.Lit(t.View)), keyed("Revision", jen.Lit(t.Revision))}
		if len(t.Indexes) > 0 {
			items = append(items, keyed("Indexes", stringList(t.Indexes)))
		}
		layouts = append(layouts, jen.Add(braced(false, append(items, keyed("Shards", jen.Lit(t.Shards)))...)))
	}
	layout := jen.Qual(dynamoPath, "ViewTable")
	g.declare("Views lists the table of each view's revision, and of the revision before while that may still be read. "+
		"Their names are in the environment.",
		jen.Func().Id("Views").Params().Index().Add(layout).Block(
			jen.Return(jen.Index().Add(layout).Add(braced(true, layouts...)))))
	return []File{g.generated("tables_gen.go")}, nil
}
