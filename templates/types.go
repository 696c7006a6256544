package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// typeFiles generates package types: a file for each shared object and enum. A
// constrained scalar is its base type in Go and needs none.
func typeFiles(s *schema.Service) ([]File, error) {
	patterns := newPatternNames()
	taken := map[string]bool{"patterns": true, "types": true}
	var files []File
	for _, t := range s.Types {
		g := newGofile(s, "types", "types", "")
		switch t.Type.Kind {
		case schema.Object:
			declareObject(g, s, t, patterns)
		case schema.Enum:
			declareEnum(g, s, t)
		default:
			continue
		}
		files = append(files, g.generated(uniqueFile(taken, schema.GoFile(t.Name))+"_gen.go"))
	}
	if len(files) == 0 {
		return nil, nil
	}
	files = append(files, patterns.sharedFile(s, "types")...)
	doc := fmt.Sprintf("Package types holds the values that events and views of the %s service share.", s.Name)
	return append(files, newGofile(s, "types", "types", doc).generated("types_gen.go")), nil
}

func declareObject(g *gofile, s *schema.Service, t *schema.NamedType, patterns *patternNames) {
	st := typeStructure(t, patterns)
	st.declare(g, s, docText(st.name+" is a shared type.", paragraphs(t.Description, st.filledIn()), t.Deprecated), nil)
	st.declareConstants(g)
	st.declareDecode(g, s)
	st.declareEncode(g, "AppendJSON appends the fields as a JSON object.")
	st.declareRedaction(g, "")
}

func declareEnum(g *gofile, s *schema.Service, t *schema.NamedType) {
	name := schema.GoName(t.Name)
	what := fmt.Sprintf("%s is one of %s.", name, count(len(t.Type.Values), "value"))
	g.declare(docText(what, t.Description, t.Deprecated), jen.Type().Id(name).String())
	var constants []jen.Code
	for _, v := range t.Type.Values {
		constants = append(constants, jen.Id(schema.GoEnumConst(t.Name, v)).Id(name).Op("=").Add(quoted(v)))
	}
	g.declare(fmt.Sprintf("Values of [%s].", name), jen.Const().Defs(constants...))
	values := *t.Type
	values.Named = t // as where the type is used
	read := jen.Id("d").Dot("String").Call(jen.Parens(jen.Op("*").String()).Parens(jen.Id("t")))
	g.declare("Decode reads a value and reports to d what is wrong.",
		method("t", pointed(jen.Id(name)), "Decode").Params(decoder()).Block(jen.If(read).Block(enumCheck(s, &values, ""))))
}
