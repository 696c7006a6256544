package templates

import (
	"fmt"
	"strings"

	"github.com/esgen/esgen/schema"
)

// viewFiles returns the views: per view what esgen owns, the stubs, and a test
// to start from.
func viewFiles(s *schema.Service) ([]File, error) {
	var files []File
	for _, v := range s.Views {
		files = append(files, viewFile(s, v))
		files = append(files, viewTestFiles(s, v)...)
		files = append(files, stubFiles(s, v)...)
	}
	return files, nil
}

// viewWriter writes view_gen.go of one view.
type viewWriter struct {
	*gofile
	service *schema.Service
	view    *schema.View
	names   map[string]string // Go names of the key and the fields
}

func viewFile(s *schema.Service, v *schema.View) File {
	g := newGofile(viewPackage(v))
	g.useAs("es", runtimePath)
	w := &viewWriter{gofile: g, service: s, view: v, names: viewFieldNames(v)}
	g.doc = w.packageDoc()
	w.writeStruct()
	w.writeDefinition()
	w.writeKeys()
	w.writeStart()
	w.writeFold()
	w.writeChecks()
	w.writeAppendJSON()
	w.writeLoad()
	w.writeIndexEntries()
	return g.generated(viewFolder(v) + "/view_gen.go")
}

func viewPackage(v *schema.View) string { return schema.GoPackage(v.Name, "view") }

func viewFolder(v *schema.View) string { return "views/" + viewPackage(v) }

// viewFieldNames maps a view's key and fields to the Go names of their fields.
func viewFieldNames(v *schema.View) map[string]string {
	names := append([]string{v.Key}, namesOf(v.Fields)...)
	methods := [][]string{schema.ViewMethods}
	if v.HoldsSensitive() {
		methods = append(methods, schema.RedactionMethods)
	}
	byName := make(map[string]string, len(names))
	for i, id := range schema.GoFields(names, methods...) {
		byName[names[i]] = id
	}
	return byName
}

// packageDoc is the comment of the package: what the view is, and whose the rest is.
func (w *viewWriter) packageDoc() string {
	v := w.view
	per := "one record per " + strings.ReplaceAll(w.service.Entity.Name, "-", " ")
	if !v.KeyedByEntity {
		per = "one record per " + v.Key
	}
	doc := fmt.Sprintf("Package %s is the view %q: %s.", w.pkg, v.Name, per)
	if v.Description != "" {
		doc += "\n\n" + v.Description
	}
	if v.Deprecated.Set {
		doc += "\n\n" + deprecated(v.Deprecated)
	}
	doc += "\n\nThe functions named on<Event> are its aggregators: they fold one event into one " +
		"record. They are pure: the same events give the same record, whenever and however often they are folded."
	if !v.KeyedByEntity {
		doc += fmt.Sprintf("\n\nEvents of different %s come to a record in any order, and it must not depend on it: sums, counts, "+
			"minima and maxima do not. meta.Latest is true when no event folded into the record so far is later, whatever it set. "+
			"A field that is copied under it is therefore right only if every event of the view sets that field; for any other, keep the "+
			"time of what set it in a field of its own, and compare it with meta.Time. A test with estest's InAnyOrder tells.", plural(w.service.Entity.Name))
	}
	return doc
}

// writeStruct declares View, the values of its enums, and how it keeps what is
// sensitive out of logs.
func (w *viewWriter) writeStruct() {
	v := w.view
	st := newStructure("View", "v", v.Fields, w.names, newPatternNames())
	st.keyName, st.secretKey = w.names[v.Key], v.SensitiveKey()
	st.secret = v.HoldsSensitive()
	w.printf("%s", comment(fmt.Sprintf("View is one record of the view %q.", v.Name)))
	w.printf("type View struct {\n")
	w.printf("%s %s // the record's key, set before the first event is folded\n", st.keyName, w.keyType())
	if len(st.members) > 0 {
		w.printf("\n")
	}
	st.declare(w.gofile, w.service)
	w.printf("}\n\n")
	if !v.KeyedByEntity && v.KeyType.Kind == schema.Enum && v.KeyType.Named == nil {
		key := &structure{name: st.name, members: []member{{&schema.Field{Name: v.Key, Type: v.KeyType}, st.keyName}}}
		key.enumConstants(w.gofile)
	}
	st.enumConstants(w.gofile)
	st.redaction(w.gofile, v.Key)
}

// keyType is the Go type of the record's key.
func (w *viewWriter) keyType() string {
	if w.view.KeyedByEntity {
		return "string"
	}
	return goType(w.gofile, w.service, w.view.KeyType)
}

func (w *viewWriter) writeDefinition() {
	v := w.view
	w.use(w.service.Module + "/events")
	w.printf("// Definition describes the view to the runtime and to tests.\n")
	w.printf("func Definition() es.View {\nreturn es.View{\n")
	w.printf("Name: %q,\nRevision: %d,\nKeyName: %q,\n", v.Name, v.Revision, v.Key)
	var names []string
	for _, ve := range v.Events {
		names = append(names, fmt.Sprintf("%q", ve.Event.Name))
	}
	w.printf("Events: []string{%s},\n", strings.Join(names, ", "))
	if !v.KeyedByEntity {
		w.printf("Keys: recordKeys,\n")
		if parse := w.parseKey(v.Key, v.KeyType); v.KeyType.Kind != schema.Enum && parse != "es.StringKey" {
			w.printf("ParseKey: %s,\n", parse)
		}
	}
	w.printf("New: newRecord,\n")
	if len(v.Indexes) > 0 {
		w.printf("Indexes: []es.Index{\n")
		for _, ix := range v.Indexes {
			desc := ""
			if ix.Desc {
				desc = "Desc: true, "
			}
			w.printf("{Name: %q, %sParseKey: %s},\n", ix.Name, desc, w.parseKey(ix.Key.Name, ix.Key.Type))
		}
		w.printf("},\n")
	}
	w.printf("EventTypes: events.Types,\n}\n}\n\n")
}

// parseKey is the function that reads a key of an index or of the records from a request.
func (w *viewWriter) parseKey(field string, t *schema.Type) string {
	switch t.Kind {
	case schema.Int:
		return "es.IntKey"
	case schema.Bool:
		return "es.BoolKey"
	case schema.UUID:
		return "es.UUIDKey"
	case schema.Date:
		return "es.DateKey"
	case schema.Enum:
		return "es.EnumKey(" + strings.Join(w.enumConstants(field, t), ", ") + ")"
	}
	return "es.StringKey"
}

// enumConstants are the Go expressions of an enum's values as strings.
func (w *viewWriter) enumConstants(field string, t *schema.Type) []string {
	var values []string
	for _, value := range t.Values {
		if t.Named == nil {
			values = append(values, schema.GoFieldConst("View", w.names[field], value))
			continue
		}
		values = append(values, "string("+sharedType(w.gofile, w.service, t.Named.Name)+schema.GoConst(value)+")")
	}
	return values
}
