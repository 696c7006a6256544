package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// patternNames gives each pattern of a package a variable. The pattern of a
// shared scalar has one, named for the type; that of a field is named for the field.
type patternNames struct {
	taken  map[string]bool
	shared map[*schema.NamedType]string
}

func newPatternNames() *patternNames {
	return &patternNames{taken: map[string]bool{}, shared: map[*schema.NamedType]string{}}
}

// free makes a name differ from those given out: "OrderPlaced.sku" and
// "Order.placedSku" would share one.
func (p *patternNames) free(name string) string {
	unique := name
	for n := 2; p.taken[unique]; n++ {
		unique = fmt.Sprintf("%s%d", name, n)
	}
	p.taken[unique] = true
	return unique
}

// pattern is a variable that a struct's file declares.
type pattern struct{ name, text string }

// of returns the variable for the pattern of t, which the field holds; own tells
// whether the field's file declares it.
func (p *patternNames) of(structName string, field *member, t *schema.Type) (name string, own bool) {
	if !sharesPattern(t) {
		return p.free(schema.GoLocal(structName) + field.goName + "Pattern"), true
	}
	if p.shared[t.Named] == "" {
		p.shared[t.Named] = p.free(schema.GoLocal(t.Named.Name) + "Pattern")
	}
	return p.shared[t.Named], false
}

// sharesPattern reports whether a type has its pattern from an entry of "types:".
func sharesPattern(t *schema.Type) bool {
	return t.Named != nil && t.Named.Type.Pattern == t.Pattern
}

// sharedFile declares the variables of shared types in a package, in the order of the
// schema; nil when the package needs none.
func (p *patternNames) sharedFile(s *schema.Service, pkg string) []File {
	if len(p.shared) == 0 {
		return nil
	}
	g := newGofile(s, pkg, pkg, "")
	for _, t := range s.Types {
		if name := p.shared[t]; name != "" {
			pattern{name, t.Type.Pattern}.declareIn(g)
		}
	}
	return []File{g.generated("patterns_gen.go")}
}

// declareIn declares a variable that compiles its pattern when first asked:
// a program that starts compiles none.
func (p pattern) declareIn(g *gofile) {
	compiled := jen.Op("*").Qual("regexp", "Regexp")
	g.declare("", jen.Var().Id(p.name).Op("=").Qual("sync", "OnceValue").Call(jen.Func().Params().Add(compiled).Block(
		jen.Return(jen.Qual("regexp", "MustCompile").Call(quoted(p.text))))))
}
