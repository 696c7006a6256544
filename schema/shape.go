package schema

// A shape says what a place of the schema file may hold. The shapes in
// language.go are the one source of the editor schema, of the structural check
// and of the reference.
type shape struct {
	name  string // of a mapping's definition: "event"; "" when it stands in place
	title string // heading of the reference
	doc   string

	// What the place may hold; several at once give short forms.
	text    *textShape
	number  *numberShape
	boolean bool
	null    bool
	list    *listShape
	object  *objectShape
	anyJSON bool // a literal: everything
}

// textShape is a string.
type textShape struct {
	enum    []string
	pattern string
	wants   string // what the pattern stands for, in words
	min     int
	max     int // code points; 0 for no bound
	// suggest lists what an editor may offer, though more is allowed.
	suggest []string
	// code is the rule that a string breaks which does not match the pattern.
	code string
}

// numberShape is a number.
type numberShape struct {
	integer  bool
	min, max *int
	above    *int // exclusive
	constant *int
}

// listShape is a list.
type listShape struct {
	items  *shape
	min    int
	unique bool
}

// objectShape is a mapping: with fixed keys (props), or from names to values (values).
type objectShape struct {
	props  []prop
	values *shape
	names  *nameRule
	what   string // what a name names: "event"
	min    int
}

// prop is one key of a mapping with fixed keys.
type prop struct {
	key      string
	required bool
	doc      string
	shape    *shape
}

func (o *objectShape) prop(key string) *prop {
	for i := range o.props {
		if o.props[i].key == key {
			return &o.props[i]
		}
	}
	return nil
}

func (o *objectShape) keys() []string {
	keys := make([]string, len(o.props))
	for i, p := range o.props {
		keys[i] = p.key
	}
	return keys
}

// child is the shape of a member, nil for one that the shape does not know.
func (s *shape) child(key string) *shape {
	switch {
	case s == nil || s.object == nil:
		return nil
	case s.object.values != nil:
		return s.object.values
	}
	if p := s.object.prop(key); p != nil {
		return p.shape
	}
	return nil
}

// maxName bounds names, in characters: file names, table names and logical ids are made of them.
const maxName = 64

// nameRule is how a kind of name is written.
type nameRule struct {
	style   string // "PascalCase"
	pattern string
	example string
}

var (
	pascalCase = &nameRule{"PascalCase", `^[A-Z][A-Za-z0-9]*$`, "OrderPlaced"}
	camelCase  = &nameRule{"camelCase", `^[a-z][A-Za-z0-9]*$`, "customerId"}
	kebabCase  = &nameRule{"kebab-case", `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, "customer-summary"}
	// kebabKey is kebab-case where x- keys are extensions.
	kebabKey = &nameRule{"kebab-case", `^(x|([a-wyz][a-z0-9]*|x[a-z0-9]+)(-[a-z0-9]+)*)$`, "customer-summary"}
)

func intPtr(n int) *int { return &n }

func freeText() *shape { return &shape{text: &textShape{}} }
func nonEmpty() *shape { return &shape{text: &textShape{min: 1}} }
func yesNo() *shape    { return &shape{boolean: true} }
func anyNumber() *shape {
	return &shape{number: &numberShape{}}
}
func wholeNumber(low, high int) *shape {
	return &shape{number: &numberShape{integer: true, min: &low, max: &high}}
}
func oneOf(values ...string) *shape { return &shape{text: &textShape{enum: values}} }
func nameOf(rule *nameRule) *shape {
	return &shape{text: &textShape{pattern: rule.pattern, max: maxName, wants: rule.style + ", such as " + rule.example, code: "bad-name"}}
}
func listOf(items *shape, least int, unique bool) *shape {
	return &shape{list: &listShape{items: items, min: least, unique: unique}}
}
func mapOf(what string, names *nameRule, values *shape, least int) *shape {
	return &shape{object: &objectShape{what: what, names: names, values: values, min: least}}
}
