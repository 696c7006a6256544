package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds on what resolving may cost.
const (
	maxDepth = 100
	maxText  = 4 << 20
	maxSteps = 10 << 20 // of a deployment: values that refer to values can double at each level
)

// noValue is what AWS::NoValue gives: the property or item is left out.
type noValue struct{}

// scope resolves values of one stack.
type scope struct {
	d *Deployment
	s *Stack
}

func (d *Deployment) in(s *Stack) scope { return scope{d, s} }

func (x scope) region() string  { return or(x.s.Region, x.d.options.Region) }
func (x scope) account() string { return or(x.s.Account, x.d.options.Account) }

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

var errDeep = fmt.Errorf("nested deeper than %d levels", maxDepth)

// step is the work of looking at one value.
func (x scope) step(depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	if x.d.steps++; x.d.steps > maxSteps {
		return errors.New("the templates' references take too long to follow")
	}
	return nil
}

// resolve gives a value without intrinsic functions.
func (x scope) resolve(v any, depth int) (any, error) {
	if err := x.step(depth); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case []any:
		list := make([]any, 0, len(v))
		for _, item := range v {
			r, err := x.resolve(item, depth+1)
			if err != nil {
				return nil, err
			}
			if r != (noValue{}) {
				list = append(list, r)
			}
		}
		return list, nil
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			r, err := x.call(name, argument, depth+1)
			if err != nil {
				return nil, within(name, err)
			}
			return r, nil
		}
		object := make(map[string]any, len(v))
		for name, member := range v {
			r, err := x.resolve(member, depth+1)
			if err != nil {
				return nil, within(name, err)
			}
			if r != (noValue{}) {
				object[name] = r
			}
		}
		return object, nil
	}
	return v, nil
}

// within says where an error is. Deep ones do not say each level.
func within(name string, err error) error {
	if errors.Is(err, errDeep) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// intrinsic reports whether an object is a call of an intrinsic function.
func intrinsic(v map[string]any) (name string, argument any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, argument = range v {
	}
	return name, argument, name == "Ref" || name == "Condition" && isText(argument) || strings.HasPrefix(name, "Fn::")
}

func isText(v any) bool { _, ok := v.(string); return ok }

func (x scope) call(name string, argument any, depth int) (any, error) {
	switch name {
	case "Ref":
		return x.ref(argument)
	case "Fn::GetAtt":
		return x.getAtt(argument)
	case "Fn::Join":
		return x.join(argument, depth)
	case "Fn::Sub":
		return x.sub(argument, depth)
	case "Fn::Select":
		return x.selected(argument, depth)
	case "Fn::Split":
		return x.split(argument, depth)
	case "Fn::ImportValue":
		return x.importValue(argument, depth)
	case "Fn::GetStackOutput":
		return x.stackOutput(argument, depth)
	case "Fn::FindInMap":
		return x.findInMap(argument, depth)
	case "Fn::If":
		return x.ifElse(argument, depth)
	case "Condition":
		return x.condition(argument.(string))
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		return x.truth(map[string]any{name: argument}, depth)
	}
	return nil, errors.New("an intrinsic function that is not supported here")
}

func (x scope) ref(argument any) (any, error) {
	name, ok := argument.(string)
	if !ok {
		return nil, fmt.Errorf("it names %s, not a logical id", kind(argument))
	}
	switch name {
	case "AWS::Region":
		return x.region(), nil
	case "AWS::AccountId":
		return x.account(), nil
	case "AWS::Partition":
		return "aws", nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	case "AWS::StackName":
		return x.s.Name, nil
	case "AWS::StackId":
		return "arn:aws:cloudformation:" + x.region() + ":" + x.account() + ":stack/" + x.s.Name + "/esgen", nil
	case "AWS::NoValue":
		return noValue{}, nil
	}
	if r := x.d.byID[resourceID{x.s.Name, name}]; r != nil {
		switch {
		case r.created:
			return r.ref, nil
		case x.d.dry:
			return placeholder(name), nil
		}
		return nil, fmt.Errorf("%s is not created yet", r)
	}
	if p, ok := x.s.template.Parameters[name]; ok {
		if p.Default.any == nil {
			return nil, fmt.Errorf("the parameter %s has no default", name)
		}
		return scalar(p.Default.any)
	}
	return nil, fmt.Errorf("the stack has no resource or parameter %s", name)
}

// placeholder stands for a value that is known only once a resource exists.
func placeholder(name string) string { return "<" + name + ">" }

func (x scope) getAtt(argument any) (any, error) {
	logical, attribute, err := attributeOf(argument)
	if err != nil {
		return nil, err
	}
	r := x.d.byID[resourceID{x.s.Name, logical}]
	if r == nil {
		return nil, fmt.Errorf("the stack has no resource %s", logical)
	}
	if !r.created {
		if x.d.dry {
			return placeholder(logical + "." + attribute), nil
		}
		return nil, fmt.Errorf("%s is not created yet", r)
	}
	v, ok := r.attributes[attribute]
	if !ok {
		return nil, fmt.Errorf("the attribute %s of %s is not supported here", attribute, r)
	}
	return v, nil
}

// attributeOf takes "Logical.Attribute" or a list of the two.
func attributeOf(argument any) (logical, attribute string, err error) {
	switch a := argument.(type) {
	case string:
		logical, attribute, _ = strings.Cut(a, ".")
	case []any:
		if len(a) == 2 {
			logical, _ = a[0].(string)
			attribute, _ = a[1].(string)
		}
	}
	if logical == "" || attribute == "" {
		return "", "", errors.New("it does not name a resource and an attribute")
	}
	return logical, attribute, nil
}

// arguments are the arguments of a function that takes n.
func arguments(argument any, n int) ([]any, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != n {
		return nil, fmt.Errorf("it takes a list of %d", n)
	}
	return list, nil
}

func (x scope) join(argument any, depth int) (any, error) {
	args, err := arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	separator, err := x.text(args[0])
	if err != nil {
		return nil, err
	}
	parts, err := x.list(args[1], depth)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteString(separator)
		}
		text, err := scalar(part)
		if err != nil {
			return nil, err
		}
		if b.WriteString(text); b.Len() > maxText {
			return nil, fmt.Errorf("the text is longer than %d bytes", maxText)
		}
	}
	return b.String(), nil
}

func (x scope) split(argument any, depth int) (any, error) {
	args, err := arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	separator, err := x.text(args[0])
	if err != nil {
		return nil, err
	}
	if separator == "" {
		return nil, errors.New("the separator is empty")
	}
	text, err := x.textAt(args[1], depth)
	if err != nil {
		return nil, err
	}
	var list []any
	for _, part := range strings.Split(text, separator) {
		list = append(list, part)
	}
	return list, nil
}

func (x scope) selected(argument any, depth int) (any, error) {
	args, err := arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	text, err := x.textAt(args[0], depth)
	if err != nil {
		return nil, err
	}
	list, err := x.list(args[1], depth)
	if err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 {
		return nil, errors.New("the index is not a number from 0")
	}
	if i >= len(list) {
		if x.d.dry { // a placeholder has no parts
			return placeholder("part"), nil
		}
		return nil, fmt.Errorf("the list has %d items, none at %d", len(list), i)
	}
	return list[i], nil
}

// sub replaces ${Name}, ${Name.Attribute} and the variables given; ${!x} stays ${x}.
func (x scope) sub(argument any, depth int) (any, error) {
	variables := map[string]any{}
	if list, ok := argument.([]any); ok {
		if len(list) != 2 {
			return nil, errors.New("it takes a text, or a list of a text and variables")
		}
		if variables, ok = list[1].(map[string]any); !ok {
			return nil, errors.New("its variables are no object")
		}
		argument = list[0]
	}
	rest, ok := argument.(string)
	if !ok {
		return nil, fmt.Errorf("it takes a text, not %s", kind(argument))
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed {
			return nil, errors.New("a ${ is not closed")
		}
		rest = next
		text, err := x.variable(name, variables, depth)
		if err != nil {
			return nil, err
		}
		if b.WriteString(text); b.Len() > maxText {
			return nil, fmt.Errorf("the text is longer than %d bytes", maxText)
		}
	}
}

func (x scope) variable(name string, variables map[string]any, depth int) (string, error) {
	if literal, ok := strings.CutPrefix(name, "!"); ok {
		return "${" + literal + "}", nil
	}
	if v, ok := variables[name]; ok {
		return x.textAt(v, depth)
	}
	var v any
	var err error
	if strings.Contains(name, ".") {
		v, err = x.getAtt(name)
	} else {
		v, err = x.ref(name)
	}
	if err != nil {
		return "", err
	}
	return scalar(v)
}

func (x scope) importValue(argument any, depth int) (any, error) {
	name, err := x.textAt(argument, depth)
	if err != nil {
		return nil, err
	}
	e, ok := x.d.exports[name]
	if !ok {
		return nil, fmt.Errorf("none of the stacks here exports %s", name)
	}
	return x.d.in(e.stack).resolve(e.stack.template.Outputs[e.output].Value.any, depth+1)
}

// stackOutput is a reference to an output that is not exported.
func (x scope) stackOutput(argument any, depth int) (any, error) {
	s, name, err := x.outputNamed(argument, depth)
	if err != nil {
		return nil, err
	}
	return x.d.in(s).resolve(s.template.Outputs[name].Value.any, depth+1)
}

func (x scope) outputNamed(argument any, depth int) (*Stack, string, error) {
	object, ok := argument.(map[string]any)
	if !ok {
		return nil, "", errors.New("it takes an object")
	}
	stack, err := x.textAt(object["StackName"], depth)
	if err != nil {
		return nil, "", within("StackName", err)
	}
	name, err := x.textAt(object["OutputName"], depth)
	if err != nil {
		return nil, "", within("OutputName", err)
	}
	for _, s := range x.d.stacks {
		if _, ok := s.template.Outputs[name]; ok && s.Name == stack {
			return s, name, nil
		}
	}
	return nil, "", fmt.Errorf("no stack %s here has an output %s", stack, name)
}

func (x scope) findInMap(argument any, depth int) (any, error) {
	args, err := arguments(argument, 3)
	if err != nil {
		return nil, err
	}
	var keys [3]string
	for i, arg := range args {
		if keys[i], err = x.textAt(arg, depth); err != nil {
			return nil, err
		}
	}
	v, ok := x.s.template.Mappings[keys[0]][keys[1]][keys[2]]
	if !ok {
		return nil, fmt.Errorf("the stack has no mapping %s", strings.Join(keys[:], "."))
	}
	return v.any, nil
}

func (x scope) ifElse(argument any, depth int) (any, error) {
	args, err := arguments(argument, 3)
	if err != nil {
		return nil, err
	}
	name, ok := args[0].(string)
	if !ok || name == "" {
		return nil, errors.New("it does not name a condition")
	}
	holds, err := x.condition(name)
	if err != nil {
		return nil, err
	}
	if holds {
		return x.resolve(args[1], depth)
	}
	return x.resolve(args[2], depth)
}

// condition is the truth of a condition of the stack; "" is always true.
func (x scope) condition(name string) (bool, error) { return x.conditionAt(name, 0) }

func (x scope) conditionAt(name string, depth int) (bool, error) {
	if name == "" {
		return true, nil
	}
	c, ok := x.s.template.Conditions[name]
	if !ok {
		return false, fmt.Errorf("the stack has no condition %s", name)
	}
	return x.truth(c.any, depth+1)
}

func (x scope) truth(v any, depth int) (bool, error) {
	if err := x.step(depth); err != nil { // also when conditions name each other
		return false, err
	}
	object, _ := v.(map[string]any)
	name, argument, ok := intrinsic(object)
	if !ok {
		return false, errors.New("a condition is Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")
	}
	list, _ := argument.([]any)
	switch {
	case name == "Condition":
		return x.conditionAt(argument.(string), depth)
	case name == "Fn::Equals" && len(list) == 2:
		a, err := x.textAt(list[0], depth)
		if err != nil {
			return false, err
		}
		b, err := x.textAt(list[1], depth)
		return a == b, err
	case name == "Fn::Not" && len(list) == 1:
		t, err := x.truth(list[0], depth+1)
		return !t, err
	case (name == "Fn::And" || name == "Fn::Or") && len(list) > 0:
		for _, item := range list {
			t, err := x.truth(item, depth+1)
			if err != nil {
				return false, err
			}
			if t == (name == "Fn::Or") {
				return t, nil
			}
		}
		return name == "Fn::And", nil
	}
	return false, fmt.Errorf("%s with these arguments is no condition", name)
}

func (x scope) text(v any) (string, error) { return x.textAt(v, 0) }

func (x scope) textAt(v any, depth int) (string, error) {
	r, err := x.resolve(v, depth+1)
	if err != nil {
		return "", err
	}
	return scalar(r)
}

func (x scope) list(v any, depth int) ([]any, error) {
	r, err := x.resolve(v, depth+1)
	if err != nil {
		return nil, err
	}
	switch r := r.(type) {
	case []any:
		return r, nil
	case []string:
		list := make([]any, len(r))
		for i, s := range r {
			list[i] = s
		}
		return list, nil
	case string:
		if x.d.dry { // it may be a list once it is known
			return []any{r}, nil
		}
	}
	return nil, fmt.Errorf("%s where a list is needed", kind(r))
}

// scalar is the text of a string, number or boolean.
func scalar(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("%s where a text is needed", kind(v))
}
