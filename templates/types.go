package templates

import (
	"fmt"

	"github.com/esgen/esgen/schema"
)

// typeFiles generates package types: a file for each shared object and enum. A
// constrained scalar is its base type in Go and needs none.
func typeFiles(s *schema.Service) ([]File, error) {
	patterns := newPatternNames()
	taken := map[string]bool{"patterns": true, "types": true}
	var files []File
	for _, t := range s.Types {
		g := newGofile("types")
		switch t.Type.Kind {
		case schema.Object:
			writeObject(g, s, t, patterns)
		case schema.Enum:
			writeEnum(g, t)
		default:
			continue
		}
		files = append(files, g.generated("types/"+uniqueFile(taken, schema.GoFile(t.Name))+"_gen.go"))
	}
	if len(files) == 0 {
		return nil, nil
	}
	files = append(files, patterns.sharedFile(s, "types", "types/patterns_gen.go")...)
	g := newGofile("types")
	g.doc = fmt.Sprintf("Package types holds the values that events and views of the %s service share.", s.Name)
	return append(files, g.generated("types/types_gen.go")), nil
}

func writeObject(g *gofile, s *schema.Service, t *schema.NamedType, patterns *patternNames) {
	st := typeStructure(t, patterns)
	g.printf("%s", docComment(st.name+" is a shared type.", paragraphs(t.Description, st.filledIn()), t.Deprecated))
	g.printf("type %s struct {\n", st.name)
	st.declare(g, s)
	g.printf("}\n\n")
	st.enumConstants(g)
	st.decode(g, s)
	st.encode(g, "AppendJSON appends the fields as a JSON object.")
	st.redaction(g, "")
}

func writeEnum(g *gofile, t *schema.NamedType) {
	name := schema.GoName(t.Name)
	g.useAs("es", runtimePath)
	g.printf("%s", docComment(fmt.Sprintf("%s is one of %s.", name, count(len(t.Type.Values), "value")), t.Description, t.Deprecated))
	g.printf("type %s string\n\n// Values of [%s].\nconst (\n", name, name)
	for _, v := range t.Type.Values {
		g.printf("%s %s = %s\n", schema.GoEnumConst(t.Name, v), name, quoted(v))
	}
	g.printf(")\n\n// Decode reads a value and reports to d what is wrong.\n")
	g.printf("func (t *%s) Decode(d *es.Decoder) {\nif d.String((*string)(t)) {\n", name)
	writeCall(g, "d.EnumStrings", t.Type.Values, func(v string) string {
		return "string(" + schema.GoEnumConst(t.Name, v) + ")"
	})
	g.printf("}\n}\n")
}
