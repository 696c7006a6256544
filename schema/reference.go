package schema

import (
	"fmt"
	"strings"
)

// Reference returns the reference of the schema language as Markdown, made from
// the same source as EditorSchema.
func Reference() []byte {
	var b strings.Builder
	b.WriteString("# Schema reference\n\nWhat `esgen.yaml` may say. This page and the JSON Schema for editors are made from one source.\n" +
		"Keys that start with `x-` are ignored everywhere. Required keys are **bold**.\n")
	writeShapes(&b, rootShape, map[*shape]bool{})
	writeScalars(&b)
	writeConstraintTable(&b)
	writeRules(&b)
	return []byte(b.String())
}

// writeShapes writes a section for a mapping with fixed keys, then those that it leads to.
func writeShapes(b *strings.Builder, s *shape, done map[*shape]bool) {
	if s == nil || done[s] {
		return
	}
	done[s] = true
	var inner []*shape
	if o := s.object; o != nil && o.values == nil {
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n| key | value | meaning |\n|---|---|---|\n", s.title, s.doc)
		for _, p := range o.props {
			key := "`" + p.key + "`"
			if p.required {
				key = "**" + key + "**"
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", key, cell(valueText(p.shape)), cell(p.doc))
		}
	}
	if s.object != nil {
		inner = append(inner, s.object.values)
		for _, p := range s.object.props {
			inner = append(inner, p.shape)
		}
	}
	if s.list != nil {
		inner = append(inner, s.list.items)
	}
	for _, next := range inner {
		writeShapes(b, next, done)
	}
}

// cell keeps a text inside its cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// prose is a cell of plain words, in which Markdown would see tags and emphasis.
func prose(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`, "[", `\[`, "_", `\_`).Replace(text)
}

// valueText says what a key may hold, linking to sections.
func valueText(s *shape) string {
	var kinds []string
	if s.anyJSON {
		return "any value"
	}
	if s.boolean {
		kinds = append(kinds, "`true` or `false`")
	}
	if s.number != nil {
		kinds = append(kinds, s.number.String())
	}
	if s.text != nil {
		switch {
		case s.text.enum != nil:
			kinds = append(kinds, "`"+strings.Join(s.text.enum, "`, `")+"`")
		case s.text.wants != "":
			kinds = append(kinds, "string: "+s.text.wants)
		default:
			kinds = append(kinds, "string")
		}
	}
	if s.list != nil {
		kinds = append(kinds, "list of: "+valueText(s.list.items))
	}
	if o := s.object; o != nil {
		switch {
		case o.values != nil:
			kinds = append(kinds, fmt.Sprintf("mapping from %s names (%s) to %s", o.what, o.names.style, sectionLink(o.values)))
		default:
			kinds = append(kinds, sectionLink(s))
		}
	}
	return strings.Join(kinds, "; ")
}

func (n *numberShape) String() string {
	switch {
	case n.constant != nil:
		return fmt.Sprintf("`%d`", *n.constant)
	case n.min != nil && n.max != nil:
		return fmt.Sprintf("whole number, %d to %d", *n.min, *n.max)
	case n.above != nil:
		return fmt.Sprintf("number above %d", *n.above)
	}
	return "number"
}

func sectionLink(s *shape) string {
	if s.title == "" {
		return "a mapping"
	}
	anchor := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(s.title, "'", ""), " ", "-"))
	title := s.title
	if title[1] < 'A' || title[1] > 'Z' { // JSON stays as it is
		title = strings.ToLower(title[:1]) + title[1:]
	}
	return fmt.Sprintf("[%s](#%s)", title, anchor)
}

func writeScalars(b *strings.Builder) {
	b.WriteString("\n## Types\n\n`TYPE = BASE [\"?\"]`: `BASE` is a scalar, a name from `types`, `list<BASE>`, `map<BASE>`; `T[]` is short for `list<T>`.\n" +
		"Inside `{ }` a type with `?` or `[]` needs quotes.\n\n| scalar | values |\n|---|---|\n")
	for _, s := range scalarKinds {
		fmt.Fprintf(b, "| `%s` | %s |\n", s.name, s.doc)
	}
}

func writeConstraintTable(b *strings.Builder) {
	b.WriteString("\n## Constraints\n\nThey mean what they mean in JSON Schema, and apply to the outermost type. They guard what comes in; what is stored is never validated again.\n\n| keyword | fits | meaning |\n|---|---|---|\n")
	for _, p := range props(constraintProps(), collectionProps(), []prop{enumProp()}) {
		var fits []string
		for _, k := range constraintFits[p.key] {
			fits = append(fits, k.String())
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", p.key, strings.Join(fits, ", "), cell(p.doc))
	}
}

func writeRules(b *strings.Builder) {
	b.WriteString("\n## Diagnostics\n\n`esgen validate explain CODE` shows a rule with an example.\n\n| code | severity | what it says | why |\n|---|---|---|---|\n")
	for _, r := range rules {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", r.Code, r.Severity, prose(r.Title), prose(r.Explanation))
	}
}
