package schema

import (
	"fmt"
	"strings"
)

// typeExpr is a type as it is written: TYPE = BASE ["?"].
type typeExpr struct {
	name     string    // of a scalar or a named type
	list     *typeExpr // the element of list<T>, T[]
	mapOf    *typeExpr // the element of map<T>
	optional bool      // only at the outermost
}

const maxTypeNesting = 8

// parseType reads a type expression. The problem is "" or says, to follow the
// quoted text, what is wrong with it.
func parseType(text string) (expr *typeExpr, problem string) {
	body, optional := strings.CutSuffix(text, "?")
	expr, problem = parseBase(body, 0)
	if problem == "" {
		expr.optional = optional
	}
	return expr, problem
}

func parseBase(text string, depth int) (*typeExpr, string) {
	switch {
	case depth > maxTypeNesting:
		return nil, fmt.Sprintf("nests lists and maps more than %d deep", maxTypeNesting)
	case text == "":
		return nil, "lacks the name of a type"
	case strings.ContainsAny(text, " \t\n"):
		return nil, "contains a blank"
	case strings.HasSuffix(text, "?"):
		if depth == 0 {
			return nil, "has more than one ?"
		}
		return nil, "has a ? inside; only the outermost type can be optional"
	case strings.HasSuffix(text, "[]"):
		elem, problem := parseBase(strings.TrimSuffix(text, "[]"), depth+1)
		return &typeExpr{list: elem}, problem
	case strings.HasSuffix(text, ">"):
		open := strings.IndexByte(text, '<')
		if open < 0 {
			return nil, "has a > without a <"
		}
		elem, problem := parseBase(text[open+1:len(text)-1], depth+1)
		if problem != "" {
			return nil, problem
		}
		switch text[:open] {
		case "list":
			return &typeExpr{list: elem}, ""
		case "map":
			return &typeExpr{mapOf: elem}, ""
		}
		return nil, fmt.Sprintf("takes a type in < >, which %q does not; list<T> and map<T> do", text[:open])
	case text == "list" || text == "map":
		return nil, fmt.Sprintf("does not say what it holds; write %s<string>, for example", text)
	case !matches(`^[A-Za-z][A-Za-z0-9]*$`, text):
		return nil, "is not a type"
	}
	return &typeExpr{name: text}, ""
}

// foreignTypes are names that other languages have for our scalars.
var foreignTypes = map[string]string{
	"integer": "int", "int64": "int", "int32": "int", "long": "int", "number": "decimal", "double": "float", "float64": "float",
	"money": "decimal", "boolean": "bool", "datetime": "timestamp", "time": "timestamp", "text": "string", "str": "string",
	"guid": "uuid", "binary": "bytes", "any": "json", "array": "list<string>", "object": "json",
}

// typeHint offers our form of a type written as in other languages, or "".
func typeHint(text string) string {
	ours := text
	if elem, ok := strings.CutPrefix(ours, "[]"); ok {
		ours = elem + "[]"
	}
	for _, r := range [][2]string{{"map<string,", "map<"}, {"List<", "list<"}, {"Map<", "map<"}, {"array<", "list<"}, {"Array<", "list<"}} {
		ours = strings.ReplaceAll(ours, r[0], r[1])
	}
	ours = strings.ReplaceAll(ours, "map< ", "map<")
	if _, problem := parseType(ours); problem != "" || ours == text {
		return ""
	}
	return fmt.Sprintf("write %q", ours)
}

// resolve makes a type of an expression; nil after a report.
func (b *builder) resolve(expr *typeExpr, at *node) *Type {
	if elem := expr.list; elem != nil {
		if t := b.resolve(elem, at); t != nil {
			return &Type{Kind: List, Elem: t}
		}
		return nil
	}
	if elem := expr.mapOf; elem != nil {
		if t := b.resolve(elem, at); t != nil {
			return &Type{Kind: Map, Elem: t}
		}
		return nil
	}
	for _, s := range scalarKinds {
		if s.name == expr.name {
			return &Type{Kind: s.kind}
		}
	}
	if entry := b.types[expr.name]; entry != nil {
		b.used[expr.name] = true
		return b.useOf(entry)
	}
	hint := b.didYouMean(expr.name, func() []string { return append(scalarNames(), b.typeNames()...) })
	if ours, ok := foreignTypes[strings.ToLower(expr.name)]; ok {
		hint = fmt.Sprintf("did you mean %q?", ours)
	}
	if hint == "" {
		hint = "define it under types, or use a scalar: " + strings.Join(scalarNames(), ", ")
	}
	b.add("unknown-type", at, fmt.Sprintf("the type %q is not defined", expr.name), hint)
	return nil
}

// typeOf reads the type expression in a node; nil after a report.
func (b *builder) typeOf(n *node) (t *Type, optional bool) {
	expr, problem := parseType(n.text)
	if problem != "" {
		b.add("bad-type", n, fmt.Sprintf("the type %q %s", n.text, problem), typeHint(n.text))
		return nil, false
	}
	return b.resolve(expr, n), expr.optional
}
