// Package handlers finds the functions that users write for esgen to call. It
// reads the text of Go files and never type-checks, so it works while a
// service does not compile, and in part while a file does not even parse.
package handlers

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// Func is a function or method, or a variable that may hold a function.
type Func struct {
	Name string // "onOrderPlaced", of a method "Handler.OnOrderShipped"
	File string
	Line int // from 1
	// Takes lists the types of the parameters that have a plain or qualified
	// name, without pointers: "View", "events.OrderPlaced".
	Takes []string
	// Body is the text between the braces; "" in a file that does not parse.
	Body string
	// Guessed is set when the file does not parse: there may be such a function.
	Guessed bool
}

// Package is what the files of one folder declare.
type Package struct {
	Funcs  []Func   // by file, then by place
	Broken []string // files that do not parse
	embeds map[string][]string
}

// Read reads the files of one folder, by name. Tests and files that are ignored
// by every build, by their name or by a constraint, declare nothing.
func Read(files map[string][]byte) *Package {
	p := &Package{embeds: map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name[0] == '_' || name[0] == '.' {
			continue
		}
		p.read(name, files[name])
	}
	return p
}

// Find returns the declaration of a function or method. A method of a type of
// this package that the receiver embeds counts.
func (p *Package) Find(name string) (Func, bool) {
	return p.find(name, 0)
}

func (p *Package) find(name string, depth int) (Func, bool) {
	for _, f := range p.Funcs {
		if f.Name == name {
			return f, true
		}
	}
	recv, method, isMethod := strings.Cut(name, ".")
	if !isMethod || depth > 8 { // types that embed each other have no end
		return Func{}, false
	}
	for _, embedded := range p.embeds[recv] {
		if f, ok := p.find(embedded+"."+method, depth+1); ok {
			return f, true
		}
	}
	return Func{}, false
}

func (p *Package) read(name string, text []byte) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		p.Broken = append(p.Broken, name)
		p.Funcs = append(p.Funcs, guess(name, text)...)
		return
	}
	if ignored(file) {
		return
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			p.Funcs = append(p.Funcs, declared(fset, text, name, d))
		case *ast.GenDecl:
			for _, s := range d.Specs {
				p.spec(fset, name, s)
			}
		}
	}
}

func (p *Package) spec(fset *token.FileSet, file string, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			p.Funcs = append(p.Funcs, Func{Name: n.Name, File: file, Line: fset.Position(n.Pos()).Line})
		}
	case *ast.TypeSpec:
		if s.Assign.IsValid() { // an alias has the methods of what it stands for
			p.embeds[s.Name.Name] = append(p.embeds[s.Name.Name], typeName(s.Type))
		}
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				if len(f.Names) == 0 {
					p.embeds[s.Name.Name] = append(p.embeds[s.Name.Name], typeName(f.Type))
				}
			}
		}
	}
}

func declared(fset *token.FileSet, text []byte, file string, d *ast.FuncDecl) Func {
	f := Func{Name: d.Name.Name, File: file, Line: fset.Position(d.Name.Pos()).Line}
	if d.Recv != nil && len(d.Recv.List) > 0 {
		f.Name = typeName(d.Recv.List[0].Type) + "." + f.Name
	}
	for _, param := range d.Type.Params.List {
		if t := typeName(param.Type); t != "" {
			f.Takes = append(f.Takes, t)
		}
	}
	if d.Body != nil {
		from, to := fset.Position(d.Body.Lbrace).Offset+1, fset.Position(d.Body.Rbrace).Offset
		if from <= to && to <= len(text) {
			f.Body = strings.ReplaceAll(strings.TrimSpace(string(text[from:to])), "\r\n", "\n")
		}
	}
	return f
}

// typeName is the name of a type without pointers and type arguments, "" for
// one that has no name.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ParenExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
	}
	return ""
}

// ignored reports whether a build constraint keeps the file out of every build
// by the usual tag. Any other constraint leaves a file that some build has.
func ignored(file *ast.File) bool {
	for _, group := range file.Comments {
		if group.Pos() > file.Package {
			break
		}
		for _, c := range group.List {
			if !constraint.IsGoBuild(c.Text) {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			if err != nil {
				continue
			}
			with := expr.Eval(func(tag string) bool { return true })
			without := expr.Eval(func(tag string) bool { return tag != "ignore" })
			if with && !without {
				return true
			}
		}
	}
	return false
}
