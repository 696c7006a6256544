package templates

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

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

// viewWriter composes view_gen.go of one view.
type viewWriter struct {
	*gofile
	service *schema.Service
	view    *schema.View
	names   map[string]string // Go names of the key and the fields
}

func viewFile(s *schema.Service, v *schema.View) File {
	w := &viewWriter{service: s, view: v, names: viewFieldNames(v)}
	w.gofile = newGofile(s, viewFolder(v), viewPackage(v), w.packageDoc())
	w.declareStruct()
	w.declareDefinition()
	w.declareKeys()
	w.declareStart()
	w.declareFold()
	w.declareChecks()
	w.declareAppendJSON()
	w.declareLoad()
	w.declareIndexEntries()
	return w.generated("view_gen.go")
}

// field is the field of the record v that a key or a field of the view has.
func (w *viewWriter) field(name string) place { return fieldOf("v", w.names[name]) }

// method begins a method of records.
func (w *viewWriter) method(name string) *jen.Statement {
	return method("v", pointed(jen.Id("View")), name)
}

// keyType is the type of the record's key.
func (w *viewWriter) keyType() *schema.Type {
	if w.view.KeyedByEntity || w.view.KeyType == nil {
		return &schema.Type{Kind: schema.String}
	}
	return w.view.KeyType
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
	doc := fmt.Sprintf("Package %s is the view %q: %s.", viewPackage(v), v.Name, per)
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

// declareStruct declares View, the values of its enums, and how it keeps what is
// sensitive out of logs.
func (w *viewWriter) declareStruct() {
	v := w.view
	st := newStructure("View", "v", v.Fields, w.names, newPatternNames())
	st.keyName, st.secretKey = w.names[v.Key], v.SensitiveKey()
	st.secret = v.HoldsSensitive()
	key := member{&schema.Field{Name: v.Key, Type: w.keyType()}, st.keyName}
	st.declare(w.gofile, w.service, fmt.Sprintf("View is one record of the view %q.", v.Name),
		jen.Id(key.goName).Add(goType(w.service, key.Type)).Comment("the record's key, set before the first event is folded"))
	key.declareConstants(w.gofile, st.name)
	st.declareConstants(w.gofile)
	st.declareRedaction(w.gofile, v.Key)
}

func (w *viewWriter) declareDefinition() {
	v := w.view
	var events, indexes []jen.Code
	for _, ve := range v.Events {
		events = append(events, jen.Lit(ve.Event.Name))
	}
	items := []jen.Code{
		keyed("Name", jen.Lit(v.Name)),
		keyed("Revision", jen.Lit(v.Revision)),
		keyed("KeyName", jen.Lit(v.Key)),
		keyed("Events", jen.Index().String().Values(events...)),
	}
	if !v.KeyedByEntity {
		items = append(items, keyed("Keys", jen.Id("recordKeys")))
		if parse := parsersOfKeys[v.KeyType.Kind]; parse != "" {
			items = append(items, keyed("ParseKey", es(parse)))
		}
	}
	items = append(items, keyed("New", jen.Id("newRecord")))
	for _, ix := range v.Indexes {
		index := []jen.Code{keyed("Name", jen.Lit(ix.Name))}
		if ix.Desc {
			index = append(index, keyed("Desc", jen.True()))
		}
		indexes = append(indexes, jen.Values(append(index, keyed("ParseKey", w.parseKey(ix.Key)))...))
	}
	if len(indexes) > 0 {
		items = append(items, keyed("Indexes", jen.Index().Add(es("Index")).Add(braced(true, indexes...))))
	}
	items = append(items, keyed("EventTypes", jen.Qual(w.service.Module+"/events", "Types")))
	w.declare("Definition describes the view to the runtime and to tests.",
		jen.Func().Id("Definition").Params().Add(es("View")).Block(jen.Return(es("View").Add(braced(true, items...)))))
}

// parsersOfKeys are the functions that read keys of a kind from a request; for other kinds
// any text is one.
var parsersOfKeys = map[schema.Kind]string{
	schema.Int: "IntKey", schema.Bool: "BoolKey", schema.UUID: "UUIDKey", schema.Date: "DateKey",
}

// parseKey is the function that reads a key of an index from a request.
func (w *viewWriter) parseKey(f *schema.Field) jen.Code {
	if f.Type.Kind == schema.Enum {
		return es("EnumKey").Call(w.enumValues(f)...)
	}
	if parse := parsersOfKeys[f.Type.Kind]; parse != "" {
		return es(parse)
	}
	return es("StringKey")
}

// enumValues are the values of an enum as strings.
func (w *viewWriter) enumValues(f *schema.Field) []jen.Code {
	values := make([]jen.Code, len(f.Type.Values))
	for i, value := range f.Type.Values {
		values[i] = w.enumValue(f.Name, f.Type, value)
	}
	return values
}

// enumValue is the constant for a value of an enum as a string.
func (w *viewWriter) enumValue(field string, t *schema.Type, value string) jen.Code {
	if t.Named == nil {
		return jen.Id(schema.GoFieldConst("View", w.names[field], value))
	}
	return jen.String().Parens(enumConstant(w.service, t.Named, value))
}
