package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Reader takes properties off a resource. What nobody has taken when the reader is done is
// reported: a stand-in that ignores a property would prove something that the cloud does not do.
//
// CloudFormation takes numbers and booleans as texts too, so does a reader. Absent properties
// are the zero value, or the one given. Readers of the same resource share their problems.
type Reader struct {
	members  map[string]any
	resource *Resource
	problems *Problems
	at       string    // path of this object in the resource
	inner    []*Reader // objects that were taken
}

// Resource is whose properties these are.
func (r *Reader) Resource() *Resource { return r.resource }

// take removes a property and returns its value, nil when it is absent.
func (r *Reader) take(name string) any {
	v := r.members[name]
	delete(r.members, name)
	return v
}

// Has reports whether the property is there and not yet taken.
func (r *Reader) Has(name string) bool { return r.members[name] != nil }

// Refuse reports that a property's value cannot be had here.
func (r *Reader) Refuse(name, format string, arguments ...any) {
	r.problems.add(r.resource, r.path(name), fmt.Sprintf(format, arguments...))
}

func (r *Reader) path(name string) string {
	if r.at == "" || name == "" {
		return r.at + name
	}
	return r.at + "." + name
}

// String takes a text.
func (r *Reader) String(name string) string {
	v := r.take(name)
	if v == nil {
		return ""
	}
	text, err := scalar(v)
	if err != nil {
		r.Refuse(name, "%v", err)
	}
	return text
}

// Needed takes a text that must be there.
func (r *Reader) Needed(name string) string {
	if !r.Has(name) {
		r.Refuse(name, "it is missing")
	}
	return r.String(name)
}

// Choice takes a text that has one of the values; absent it is the first of them.
func (r *Reader) Choice(name string, values ...string) string {
	if !r.Has(name) {
		return values[0]
	}
	text := r.String(name)
	if !slices.Contains(values, text) {
		r.Refuse(name, "%q is not supported here, only %s", text, strings.Join(values, ", "))
	}
	return text
}

// Int takes a whole number.
func (r *Reader) Int(name string, otherwise int) int {
	v := r.take(name)
	if v == nil {
		return otherwise
	}
	text, err := scalar(v)
	if err == nil {
		var n int
		if n, err = strconv.Atoi(text); err == nil {
			return n
		}
	}
	r.Refuse(name, "it is not a whole number")
	return otherwise
}

// Float takes a number.
func (r *Reader) Float(name string, otherwise float64) float64 {
	v := r.take(name)
	if v == nil {
		return otherwise
	}
	text, err := scalar(v)
	if err == nil {
		var n float64
		if n, err = strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	}
	r.Refuse(name, "it is not a number")
	return otherwise
}

// Bool takes a boolean.
func (r *Reader) Bool(name string, otherwise bool) bool {
	switch v := r.take(name); v {
	case nil:
		return otherwise
	case true, "true":
		return true
	case false, "false":
		return false
	}
	r.Refuse(name, "it is neither true nor false")
	return otherwise
}

// Strings takes a list of texts; one text is a list of one.
func (r *Reader) Strings(name string) []string {
	var list []string
	switch v := r.take(name).(type) {
	case nil:
	case []string:
		return v
	case string:
		return []string{v}
	case []any:
		for _, item := range v {
			text, err := scalar(item)
			if err != nil {
				r.Refuse(name, "%v", err)
			}
			list = append(list, text)
		}
	default:
		r.Refuse(name, "%s where a list is needed", kind(v))
	}
	return list
}

// Texts takes an object whose members are all texts, as the variables of a function are.
func (r *Reader) Texts(name string) map[string]string {
	v := r.take(name)
	texts := map[string]string{}
	if v == nil {
		return texts
	}
	object, ok := v.(map[string]any)
	if !ok {
		r.Refuse(name, "%s where an object is needed", kind(v))
	}
	for member, v := range object {
		text, err := scalar(v)
		if err != nil {
			r.Refuse(name+"."+member, "%v", err)
		}
		texts[member] = text
	}
	return texts
}

// Object takes an object. Absent it is a reader of nothing.
func (r *Reader) Object(name string) *Reader {
	v := r.take(name)
	object, ok := v.(map[string]any)
	if !ok && v != nil {
		r.Refuse(name, "%s where an object is needed", kind(v))
	}
	return r.reader(name, object)
}

func (r *Reader) reader(name string, members map[string]any) *Reader {
	in := &Reader{members: maps.Clone(members), resource: r.resource, problems: r.problems, at: r.path(name)}
	r.inner = append(r.inner, in)
	return in
}

// Objects takes a list of objects.
func (r *Reader) Objects(name string) []*Reader {
	v := r.take(name)
	list, ok := v.([]any)
	if !ok && v != nil {
		r.Refuse(name, "%s where a list is needed", kind(v))
	}
	var all []*Reader
	for i, item := range list {
		where := fmt.Sprintf("%s[%d]", name, i)
		object, ok := item.(map[string]any)
		if !ok {
			r.Refuse(where, "%s where an object is needed", kind(item))
			continue
		}
		all = append(all, r.reader(where, object))
	}
	return all
}

// JSON takes a value as JSON text, nil when it is absent. Documents that the template holds as
// text, as policies may be, come out as that text.
func (r *Reader) JSON(name string) json.RawMessage {
	v := r.take(name)
	if v == nil {
		return nil
	}
	if text, ok := v.(string); ok {
		return json.RawMessage(text)
	}
	text, err := json.Marshal(v)
	if err != nil {
		r.Refuse(name, "%v", err)
	}
	return text
}

// Ignore takes properties that have no effect here.
func (r *Reader) Ignore(names ...string) {
	for _, name := range names {
		delete(r.members, name)
	}
}

// IgnoreRest takes all that is left.
func (r *Reader) IgnoreRest() { clear(r.members) }

// Members are the names of what is not yet taken, in order.
func (r *Reader) Members() []string { return slices.Sorted(maps.Keys(r.members)) }

// Done reports what nobody has taken, in this object and those taken from it.
func (r *Reader) Done() {
	for _, name := range r.Members() {
		r.Refuse(name, "not supported here")
	}
	clear(r.members)
	for _, in := range r.inner {
		in.Done()
	}
	r.inner = nil
}

// Problems are what a deployment needs and a stand cannot give.
type Problems struct{ list []Problem }

// Problem is one of them.
type Problem struct {
	Stack, LogicalID, Type, Path string
	Property                     string // "" for the resource itself
	Text                         string
}

func (p Problem) String() string {
	place := p.Type
	if p.Property != "" {
		place = p.Property + " of " + p.Type
	}
	return fmt.Sprintf("%s: %s (%s in stack %s): %s", p.Path, place, p.LogicalID, p.Stack, p.Text)
}

func (p *Problems) add(r *Resource, property, text string) {
	problem := Problem{r.Stack.Name, r.LogicalID, r.Type, r.Path, property, text}
	if !slices.Contains(p.list, problem) {
		p.list = append(p.list, problem)
	}
}

// Refuse reports a resource that cannot be had here.
func (p *Problems) Refuse(r *Resource, format string, arguments ...any) {
	p.add(r, "", fmt.Sprintf(format, arguments...))
}

// List is all problems so far.
func (p *Problems) List() []Problem { return p.list }

// Err is all problems so far in one error, nil without any.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	lines := make([]string, len(p.list))
	for i, problem := range p.list {
		lines[i] = problem.String()
	}
	return errors.New("the stack asks for what cannot be had on this machine:\n  " + strings.Join(lines, "\n  "))
}
